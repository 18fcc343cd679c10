// A run for a projector: large, no controls in sight, revealed by keys branch by branch.

const HINT_MS = 5000;
const IDLE_MS = 2500;
const COLUMN_EM = 18;
const MOST_ROWS = 3;
const KEYS = [
  ['→  Space  Page down', 'next branch, then the answer, then time and money'],
  ['←  Page up', 'back'],
  ['↑  ↓', 'scroll'],
  ['A', 'everything'],
  ['R', 'replay as if live'],
  ['F', 'full screen'],
  ['Esc  Q', 'leave'],
];

// Over the page, until somebody leaves. `data.path` is listened to while the run goes on.
function presentBoard(data, leave) {
  const dialog = make('dialog');
  dialog.setAttribute('aria-label', `Presentation: ${data.topic}`);
  dialog.style.cssText = 'position:fixed;inset:0;width:100%;height:100%;max-width:none;max-height:none;margin:0;padding:0;border:0;background:none';
  const host = make('div');
  dialog.append(host);
  document.body.append(dialog);
  dialog.showModal();
  const root = shadowRoot(host, data.theme);
  const board = makeBoard(root, {...data, present: true});
  board.component = {setTriggerValue() {}, setStateValue() {}};
  board.pageKnows = true;
  const show = {board, root, host, data, step: 0, flow: false, all: false, per: 1, still: new WeakSet()};
  show.leave = () => {
    if (data.leave) return location.assign(data.leave);
    show.close();
    leave?.();
  };
  dialog.addEventListener('cancel', (event) => { event.preventDefault(); show.leave(); });
  dressStage(show);
  listen(show, dialog);
  begin(show);
  return show;
}

async function begin(show) {
  const {board, data} = show;
  board.onPaint = () => draw(show);
  if (data.path && !data.finished) {
    show.flow = true;
    board.line = openLine(data.path, {
      have: () => board.tag,
      frame: (frame) => take(board, frame),
      down: () => cutOff(board),
      lost: () => say(show.note, 'This run is not known here any more.'),
      poll: () => say(show.note, 'Live text does not reach this page. Load it again when the run is over.'),
    });
    return;
  }
  if (await loadReel(show)) board.reel.seek(board.reel.length);
  draw(show);
}

async function loadReel(show) {
  const {board, data} = show;
  if (board.reel) return true;
  try {
    const frames = await framesOf(data.replay);
    board.line?.close();
    board.line = null;
    board.reel = makeReel(board, frames, () => moved(show));
  } catch {
    say(show.note, 'The run could not be loaded. Load this page again.');
  }
  return !!board.reel;
}

function dressStage(show) {
  const {board, root, data} = show;
  root.classList.add('present');
  root.setAttribute('aria-label', 'Presentation');
  const head = make('header', 'show-head');
  const title = make('div', 'show-title');
  const topic = make('h1', 'topic', data.topic || data.title);
  topic.dir = 'auto';
  title.append(make('p', 'workflow', data.title), topic);
  head.append(title, board.status);
  show.sum = make('section', 'sum');
  show.sum.setAttribute('aria-label', 'Time and money');
  show.pips = make('div', 'pips');
  show.pips.setAttribute('aria-hidden', 'true');
  show.note = make('p', 'show-note');
  const foot = make('div', 'show-foot');
  foot.append(show.pips, show.note);
  show.help = helpOf();
  root.prepend(head);
  root.insertBefore(show.sum, board.live);
  root.append(foot, show.help);
  say(show.note, 'H: keys');
  show.hint = setTimeout(() => say(show.note, ''), HINT_MS);
}

function helpOf() {
  const help = make('dl', 'help');
  help.hidden = true;
  for (const [keys, what] of KEYS) help.append(make('dt', '', keys), make('dd', '', what));
  return help;
}

function listen(show, dialog) {
  const {board, root} = show;
  const onKey = (event) => pressStage(show, event);
  const onSize = () => draw(show);
  const onMove = () => {
    root.classList.remove('idle');
    clearTimeout(show.idle);
    show.idle = setTimeout(() => root.classList.add('idle'), IDLE_MS);
  };
  document.addEventListener('keydown', onKey, true);
  addEventListener('resize', onSize);
  root.addEventListener('pointermove', onMove);
  root.addEventListener('click', (event) => tap(show, event));
  const drifting = setInterval(() => drift(show), 50);
  onMove();
  show.close = () => {
    document.removeEventListener('keydown', onKey, true);
    removeEventListener('resize', onSize);
    clearInterval(drifting);
    for (const timer of [show.idle, show.hint, show.fade]) clearTimeout(timer);
    if (document.fullscreenElement) document.exitFullscreen();
    board.reel?.close();
    board.close();
    dialog.close();
    dialog.remove();
  };
}

// For a hand without a keyboard: the left quarter goes back, the rest on.
function tap(show, event) {
  if (event.target.closest('button, a, .panel') || selecting(show.root)) return;
  go(show, event.clientX < innerWidth / 4 ? -1 : 1);
}

function pressStage(show, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const onButton = event.composedPath()[0].closest?.('button');
  const act = {
    ArrowRight: () => go(show, 1),
    ' ': !onButton && (() => go(show, 1)),
    PageDown: () => go(show, 1),
    ArrowLeft: () => go(show, -1),
    PageUp: () => go(show, -1),
    ArrowDown: () => scrollStage(show, 1),
    ArrowUp: () => scrollStage(show, -1),
    Home: () => toStep(show, 0),
    End: () => toStep(show, stepsOf(show).length - 1),
    a: () => showAll(show),
    r: () => again(show),
    f: () => fullScreen(show),
    q: () => show.leave(),
    Escape: () => show.leave(),
    h: () => toggleHelp(show),
    '?': () => toggleHelp(show),
  }[key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}

// The opening, each branch, each combined answer, and the run in one number once it is over.
function stepsOf({board}) {
  const cards = [...board.cards.values()];
  const answers = [...board.answers.children].map((node) => cards.find((card) => card.node === node).spec.id);
  const columns = cards.filter((card) => !card.wide).map((card) => card.spec.id);
  return ['', ...columns, ...answers, ...(board.headline ? ['headline'] : [])];
}

function go(show, by) {
  const steps = stepsOf(show);
  if (!show.flow && !show.all) return toStep(show, show.step + by);
  // From everything, or from the replay, one goes on with the answer and back to the branches.
  const answer = steps.findIndex((name) => ANSWER.test(name));
  const columns = steps.filter((name) => show.board.cards.get(name)?.wide === false).length;
  toStep(show, by < 0 || answer < 0 ? columns : answer);
}

function toStep(show, step) {
  const {board} = show;
  const steps = stepsOf(show);
  if (show.flow && board.reel) {
    board.reel.pause();
    board.reel.seek(board.reel.length);
  }
  show.flow = show.all = false;
  show.step = Math.max(0, Math.min(steps.length - 1, step));
  show.still = new WeakSet();
  for (const card of board.cards.values()) rest(card);
  draw(show);
  const name = steps[show.step];
  board.live.textContent = name === 'headline' ? [...show.sum.children].map((line) => line.textContent).join('. ') : board.cards.get(name)?.face?.title ?? '';
}

function showAll(show) {
  const live = board => !board.reel && board.state?.live;
  toStep(show, stepsOf(show).length - 1);
  if (live(show.board)) show.flow = true;
  else show.all = true;
  show.root.scrollTop = 0;
  draw(show);
}

async function again(show) {
  const {board} = show;
  if (board.state?.live && !board.reel) return;
  if (!await loadReel(show)) return;
  show.flow = true;
  show.all = false;
  board.reel.seek(0);
  board.reel.play();
}

function moved(show) {
  // Where it has ended, the number appears without anybody asking for it.
  if (show.flow && !show.board.reel?.playing) draw(show);
}

function fullScreen({host}) {
  if (document.fullscreenElement) document.exitFullscreen();
  else host.requestFullscreen?.().catch(() => {});
}

function toggleHelp(show) {
  show.help.hidden = !show.help.hidden;
  clearTimeout(show.fade);
  if (!show.help.hidden) show.fade = setTimeout(() => { show.help.hidden = true; }, 2 * HINT_MS);
}

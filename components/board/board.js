// The board: cards in a grid, fed by frames over a socket or, where none opens, by the page.

const TICK_MS = 100;
const DOUBT_MS = 700;

function makeBoard(root, data) {
  const board = {
    run: data.run, root, cards: new Map(), tag: null, state: null, zero: -Infinity, line: null,
    dirty: new Set(), paint: 0, sawLive: false, toldOver: false, askedAll: 0, telling: '', cutAt: null,
    component: null, lit: null, reel: null, headline: null, mayAct: !data.replay && !data.present,
  };
  board.now = () => board.reel?.now() ?? board.cutAt ?? Math.max(0, performance.now() / 1000 + board.zero);
  board.copy = (node, text) => copyText(board, node, text());
  board.askPage = (message) => {
    for (const [name, value] of Object.entries(message)) board.component.setTriggerValue(name, value);
  };
  board.ask = (message) => (board.line?.open() ? board.line.send(message) : board.askPage(message));
  build(board, data);
  const theme = setInterval(() => followTheme(board), 1000);
  const ticker = setInterval(() => tick(board), TICK_MS);
  const escape = (event) => clearOnEscape(board, event);
  document.addEventListener('keydown', escape);
  followTheme(board);
  board.update = (component) => update(board, component);
  board.close = () => {
    board.line?.close();
    board.closePlayer?.();
    clearInterval(theme);
    clearInterval(ticker);
    document.removeEventListener('keydown', escape);
    clearTimeout(board.again);
    clearTimeout(board.doubt);
    clearTimeout(board.unanswered);
    cancelAnimationFrame(board.paint);
  };
  return board;
}

function build(board, data) {
  const bar = make('div', 'bar');
  board.status = make('span', 'status');
  board.plan = make('span', 'plan');
  board.plan.hidden = true;
  const state = make('div', 'state');
  state.append(board.status, board.plan);
  board.copyAll = button('act word', 'Copy everything', 'copy', () => board.copy(board.copyAll, () => everything(board)), 'Copy everything');
  board.copyAll.disabled = true;
  bar.append(state, board.copyAll);
  const grid = make('div', 'grid');
  for (const spec of data.columns) {
    const card = makeCard(spec, board);
    board.cards.set(spec.id, card);
    grid.append(card.node);
  }
  board.answers = make('div', 'answers');
  board.live = make('div', 'unseen');
  board.live.setAttribute('aria-live', 'polite');
  board.root.replaceChildren(bar, grid, board.answers, board.live);
  board.accent = data.accent;
  if (data.combined) addAnswer(board, COMBINED);
}

function update(board, component) {
  const {data} = component;
  board.component = component;
  // What can be asked of a run has changed: every card hears it anew.
  if (board.tag !== null && board.fixed !== data.fixed) askAll(board);
  board.fixed = data.fixed;
  board.around = data.around ?? '';
  if (data.replay) return void replay(board, data.replay);
  board.pageKnows = data.finished;
  hush(board, data.finished ? 'over' : 'resumed');
  clearTimeout(board.doubt);
  // A run can go on and end again between two frames; the page then still waits for its end.
  if (!data.finished && board.toldOver) board.doubt = setTimeout(() => sayOver(board), DOUBT_MS);
  if (data.frames) {
    board.line?.close();
    board.line = null;
    // Each delivery repeats what the last one brought, in case that was lost on the way.
    const known = data.frames.findIndex((frame) => frame.tag === board.tag);
    for (const frame of data.frames.slice(known + 1)) take(board, frame);
  } else if (!board.line) {
    board.line = openLine(data.path, {
      have: () => board.tag,
      around: () => board.around,
      frame: (frame) => heard(board, frame),
      down: () => cutOff(board),
      lost: () => lose(board),
      poll: () => component.setStateValue('mode', 'poll'),
    });
  }
}

// What the line refuses, the page refuses too, and says why; what is not true any more around the
// board, it draws anew.
function heard(board, frame) {
  if (frame.refused) board.askPage(frame.refused);
  else if (frame.around === undefined) take(board, frame);
  else if (frame.around !== board.around) board.askPage({around: Date.now()});
}

// Nobody knows how the run goes on, so its clocks stand still until the line is back.
function cutOff(board) {
  if (board.state?.clock[1] == null || board.cutAt !== null) return;
  board.cutAt = board.now();
  tick(board);
}

// The page looks for the run again; where it finds one, the next update opens a new line.
function lose(board) {
  board.line = null;
  if (board.telling !== 'lost') tell(board, 'lost');
}

// Streamlit drops what it is told while its own line is down, so this is said again until `hush`.
function tell(board, what, wait = 2000) {
  clearTimeout(board.again);
  board.telling = what;
  board.component.setTriggerValue(what, Date.now());
  board.again = setTimeout(() => tell(board, what, Math.min(30000, 2 * wait)), wait);
}

function hush(board, what) {
  if (board.telling !== what) return;
  board.telling = '';
  clearTimeout(board.again);
}

function take(board, frame) {
  if (frame.base !== null && frame.base !== board.tag) return askAll(board);
  clearTimeout(board.unanswered);
  const first = board.tag === null;
  if (frame.base === null) board.zero = -Infinity;
  const said = fold(board, frame);
  hush(board, 'lost');
  board.cutAt = null;
  board.zero = Math.max(board.zero, frame.t - performance.now() / 1000);
  if (!first && said.length) board.live.textContent = said.join('. ');
  tellPage(board);
  paintSoon(board);
}

// Hidden pages get no animation frames; they are painted when they are seen again.
function paintSoon(board) {
  board.paint ||= requestAnimationFrame(() => paint(board));
}

// Put a frame onto the picture, unpainted. Returns what there is to announce.
function fold(board, frame) {
  const said = [];
  if (frame.base === null) for (const [id, card] of board.cards) startAnew(board, id, card, frame);
  board.tag = frame.tag;
  for (const [id, change] of Object.entries(frame.cols)) {
    const card = board.cards.get(id) ?? (ANSWER.test(id) ? addAnswer(board, id) : null);
    if (!card) continue;
    if (change.face) {
      if (change.face.said && change.face.said !== card.face?.said) said.push(change.face.said);
      card.face = board.mayAct && !board.fixed ? change.face : {...change.face, can: ''};
    }
    card.tokens = change.tokens ?? card.tokens;
    card.thought = change.thought ?? card.thought;
    if (change.text) takeText(board, card, change.text);
    if (change.sources !== undefined) {
      card.sources = change.sources;
      card.untold = true;
    }
    board.dirty.add(card);
  }
  for (const id of frame.gone ?? []) dropAnswer(board, id);
  if (frame.run) {
    if (frame.run.said && frame.run.said !== board.state?.said) said.push(frame.run.said);
    board.state = frame.run;
  }
  if (frame.headline !== undefined || frame.base === null) board.headline = frame.headline ?? null;
  return said;
}

// A keyframe starts from nothing; what it doesn't name is gone.
function startAnew(board, id, card, frame) {
  card.text = emptyText();
  card.thought = 0;
  if (!card.wide) return;
  card.untold ||= !!card.sources;
  card.sources = null;
  if (!(id in frame.cols) && id !== COMBINED) dropAnswer(board, id);
}

// Marks go before the words under them change.
function takeText(board, card, diff) {
  if (board.lit?.quoted.includes(card)) dim(board);
  if (card.wide) {
    unmark(board, card);
    card.untold = true;
  }
  applyText(card.text, diff);
}

// Something was lost on the way, so the whole picture is due; asked for once in a while. The asking
// may be lost too, and after the end of a run no frame comes that would bring it up again.
function askAll(board) {
  if (Date.now() - board.askedAll < 1000) return;
  board.askedAll = Date.now();
  clearTimeout(board.unanswered);
  board.unanswered = setTimeout(() => askAll(board), 2000);
  if (board.line?.open()) board.line.send({have: null});
  // A line that is down says what it has when it opens again.
  else if (!board.line) board.component.setTriggerValue('resync', board.askedAll);
}

// The page draws its charts when a run ends, and puts them away when one goes on.
function tellPage(board) {
  if (!board.mayAct) return;
  const {live} = board.state ?? {live: true};
  if (live && board.toldOver) tell(board, 'resumed');
  if (live) {
    board.sawLive = true;
    board.toldOver = false;
  } else if (!board.toldOver) {
    board.toldOver = true;
    if (board.sawLive || !board.pageKnows) tell(board, 'over');
  }
}

function sayOver(board) {
  if (!board.state.live && !board.pageKnows) tell(board, 'over');
}

function paint(board) {
  board.paint = 0;
  for (const card of board.dirty) if (card.face) paintCard(card);
  for (const card of board.dirty) if (card.untold && card.face) tellSources(board, card);
  board.dirty.clear();
  board.onPaint?.();
  board.copyAll.disabled = ![...board.cards.values()].some((card) => card.shown.length);
  tick(board);
}

function tellSources(board, card) {
  card.untold = false;
  showSources(board, card);
}

function tick(board) {
  board.onTick?.();
  const now = board.now();
  for (const card of board.cards.values()) {
    if (card.word) tickCard(card, now, card.wide ? sharesOf(board, card) : reachedText(board, card), board.state?.busy);
  }
  if (!board.state) return;
  const {done, of, idle, clock} = board.state;
  const plan = planText(board.state, now);
  say(board.plan, plan);
  board.plan.hidden = !plan;
  const word = board.cutAt === null ? board.state.word : 'Connection lost, trying again';
  say(board.status, `${word} · ${secondsText(count(clock, now))} · ${done} of ${of} done${idle ? `, ${idle} not needed` : ''}`);
}

function reachedText(board, card) {
  const share = reachedOf(board, card.spec.id);
  return share === null ? '' : `reached the answer: ${percent(share)}`;
}

function followTheme(board) {
  const colour = getComputedStyle(board.root).getPropertyValue('--st-background-color').trim();
  if (colour === board.background) return;
  board.background = colour;
  board.root.classList.toggle('dark', isDark(colour));
}

function isDark(colour) {
  const pen = document.createElement('canvas').getContext('2d');
  pen.fillStyle = colour || '#ffffff';
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
}

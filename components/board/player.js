// The replay's controls: play, pause, a line of time to drag along, speeds, keys.

const SPEEDS = [1, 2, 5];
const JUMP_S = 2;
const TOLD_EVERY_MS = 5000;

Object.assign(ICONS, {
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M8 5v14M16 5v14',
  restart: 'M5 12a7 7 0 1 0 2.2-5.1M5 4v4.5h4.5',
});

const clockText = (seconds) => {
  const tenths = Math.round(10 * seconds);
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}.${tenths % 10}`;
};

const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

// Load the frames and begin; where they can't be had, the page is asked to hand them over.
async function replay(board, source) {
  if (board.reel || (board.loading && !source.frames)) return;
  board.loading = true;
  say(board.status, 'Loading the replay');
  try {
    const frames = await framesOf(source);
    if (!board.reel && frames.length) startPlayer(board, frames, source);
    else if (!frames.length) say(board.status, 'There is nothing to replay yet');
  } catch {
    say(board.status, 'The replay could not be loaded');
    board.component.setStateValue('mode', 'poll');
  }
  board.loading = false;
}

function startPlayer(board, frames, {autoplay, ended}) {
  const player = makePlayer(board);
  board.reel = makeReel(board, frames, () => showPosition(board, player));
  board.root.insertBefore(player.node, board.root.children[1]);
  drawEnds(board, player);
  board.root.addEventListener('keydown', player.press);
  board.closePlayer = () => {
    board.reel.close();
    board.root.removeEventListener('keydown', player.press);
  };
  board.reel.seek(ended ? board.reel.length : 0);
  if (!autoplay) return;
  player.play.focus({preventScroll: true});
  if (!calm()) board.reel.play();
}

function makePlayer(board) {
  const node = make('div', 'player');
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', 'Replay');
  const player = {node, told: 0};
  player.play = button('act word play', 'Play', 'play', () => toggle(board), 'Play');
  const restart = button('act', 'Restart', 'restart', () => {
    board.reel.seek(0);
    board.reel.play();
  });
  player.track = make('div', 'track');
  player.range = make('input');
  Object.assign(player.range, {type: 'range', min: 0, max: 1, step: 'any', value: 0});
  player.range.setAttribute('aria-label', 'Position in the replay');
  player.range.addEventListener('input', () => board.reel.seek(Number(player.range.value)));
  player.range.addEventListener('focus', () => tellPosition(board, player));
  player.time = make('span', 'time');
  player.track.append(make('i', 'rail'), make('i', 'past'), make('i', 'thumb'), player.range);
  node.append(player.play, restart, player.track, player.time, speeds(board, player));
  player.press = (event) => press(board, event);
  // A click beside the controls makes the keys work, too.
  node.addEventListener('click', (event) => {
    if (!event.target.closest('button, input')) player.play.focus({preventScroll: true});
  });
  return player;
}

function speeds(board, player) {
  const node = make('div', 'speeds');
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', 'Speed');
  player.speeds = SPEEDS.map((speed) => {
    const one = make('button', 'speed', `${speed}×`);
    one.type = 'button';
    one.setAttribute('aria-label', `${speed} times`);
    one.addEventListener('click', () => setSpeed(board, speed));
    return one;
  });
  const atOnce = make('button', 'speed', 'At once');
  atOnce.type = 'button';
  atOnce.addEventListener('click', () => toEnd(board));
  node.append(...player.speeds, atOnce);
  return node;
}

function toggle(board) {
  if (board.reel.playing) board.reel.pause();
  else board.reel.play();
}

function setSpeed(board, speed) {
  board.reel.speed = speed;
  board.reel.seek(board.reel.position);
}

function toEnd(board) {
  board.reel.pause();
  board.reel.seek(board.reel.length);
  board.live.textContent = board.state?.said ?? '';
}

// Marks where columns ended, in their colours.
function drawEnds(board, player) {
  for (const {at, id} of board.reel.ends) {
    const spec = board.cards.get(id)?.spec ?? board.accent;
    const mark = dress(make('i', 'end-mark'), spec);
    mark.style.setProperty('--at', board.reel.length ? at / board.reel.length : 0);
    player.track.insertBefore(mark, player.track.lastChild);
  }
  player.range.max = board.reel.length;
}

function showPosition(board, player) {
  const {reel} = board;
  const share = reel.length ? reel.position / reel.length : 1;
  player.track.style.setProperty('--at', share.toFixed(5));
  say(player.time, positionText(reel));
  const name = reel.playing ? 'Pause' : 'Play';
  if (player.play.title !== name) {
    player.play.title = name;
    player.play.setAttribute('aria-label', name);
    player.play.replaceChildren(icon(name.toLowerCase()), make('span', '', name));
  }
  player.speeds.forEach((one, i) => one.setAttribute('aria-pressed', String(SPEEDS[i] === reel.speed)));
  board.root.classList.toggle('paused', !reel.playing);
  // A screen reader on the line of time must not be told of every frame.
  if (!reel.playing || performance.now() - player.told > TOLD_EVERY_MS) tellPosition(board, player);
}

function tellPosition(board, player) {
  player.told = performance.now();
  player.range.value = board.reel.position;
  player.range.setAttribute('aria-valuetext', positionText(board.reel));
}

const positionText = (reel) => `${clockText(reel.position)} of ${clockText(reel.length)}`;

// What scrolls or is pressed by a key keeps that key.
function press(board, event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const {target, key} = event;
  const onRange = target.type === 'range';
  const scrolls = !!target.closest('.body, .block');
  const {reel} = board;
  const act = {
    ' ': !target.closest('button') && !scrolls && (() => toggle(board)),
    ArrowLeft: () => reel.seek(reel.position - JUMP_S),
    ArrowRight: () => reel.seek(reel.position + JUMP_S),
    ArrowDown: onRange && (() => reel.seek(reel.position - JUMP_S)),
    ArrowUp: onRange && (() => reel.seek(reel.position + JUMP_S)),
    1: () => setSpeed(board, 1),
    2: () => setSpeed(board, 2),
    5: () => setSpeed(board, 5),
    0: () => reel.seek(0),
    Home: !scrolls && (() => reel.seek(0)),
    End: !scrolls && (() => toEnd(board)),
  }[key];
  if (!act) return;
  event.preventDefault();
  act();
}

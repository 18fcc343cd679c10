// A run as its frames: any second of it becomes a picture, forwards and backwards.

const ENDS = new Set(['done', 'cached', 'stopped', 'failed', 'timed_out', 'skipped']);
const LONGEST_STEP_S = 0.25;

// `moved` is called whenever position, speed or playing have changed. Positions are playing time.
function makeReel(board, frames, moved) {
  const dues = frames.map((frame) => frame.play ?? frame.t);
  const reel = {frames, length: dues.at(-1), position: 0, speed: 1, playing: false, ends: endsOf(frames, dues)};
  let next = 0;
  let turn = 0;
  let before = 0;

  // What there is to announce on the way; a way back starts from the first frame again.
  function go(position) {
    const to = Math.max(0, Math.min(reel.length, position));
    if (to < reel.position || !next) next = 0;
    reel.position = to;
    const said = [];
    while (next < frames.length && dues[next] <= to) said.push(...fold(board, frames[next++]));
    return said;
  }

  reel.seek = (position) => {
    go(position);
    paintSoon(board);
    moved();
  };
  reel.now = () => (next ? frames[next - 1].t + reel.position - dues[next - 1] : 0);
  reel.play = () => {
    if (reel.position >= reel.length) go(0);
    before = performance.now();
    reel.playing = true;
    cancelAnimationFrame(turn);
    turn = requestAnimationFrame(advance);
    moved();
  };
  reel.pause = () => {
    reel.playing = false;
    cancelAnimationFrame(turn);
    tick(board);
    moved();
  };
  reel.close = () => cancelAnimationFrame(turn);

  // A hidden page gets no animation frames, so the replay waits until it is seen again.
  function advance(now) {
    const step = Math.min(LONGEST_STEP_S, Math.max(0, now - before) / 1000);
    before = now;
    const said = go(reel.position + step * reel.speed);
    if (said.length) board.live.textContent = said.join('. ');
    if (board.dirty.size) paint(board);
    if (reel.position >= reel.length) return reel.pause();
    turn = requestAnimationFrame(advance);
    moved();
  }

  go(0);
  return reel;
}

// When each column reached its end: [{at, id}], a column asked again more than once.
function endsOf(frames, dues) {
  const ended = new Map();
  const ends = [];
  frames.forEach((frame, i) => {
    for (const [id, {face}] of Object.entries(frame.cols)) {
      if (!face) continue;
      const over = ENDS.has(face.state);
      if (over && ended.get(id) === false) ends.push({at: dues[i], id});
      ended.set(id, over);
    }
  });
  return ends;
}

// Frames as they are, packed into text, or to be fetched.
async function framesOf({frames, packed, path}) {
  if (frames) return frames;
  if (packed) {
    const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json();
  }
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return (await answer.json()).frames;
}

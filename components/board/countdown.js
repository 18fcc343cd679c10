// What time alone changes: countdowns and running numbers, in the words of fanout/render/live_words.py.

const inTime = (left, word) => (left > 0.05 ? `in ${leftText(left)}` : word);

// Calmer the longer it is: "2.0 s", "12 s", "1 min 5 s".
function leftText(seconds) {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)}\u00a0s`;
  const whole = Math.round(seconds);
  return whole < 100 ? `${whole}\u00a0s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function chipText(face, now, rate) {
  if (face.state === 'writing' && rate) return `${face.word} · ${rateText(rate)}`;
  if (face.state !== 'retrying' || !face.retry) return face.word;
  const {at, next, of, to} = face.retry;
  const when = inTime(at - now, 'now');
  return to ? `${face.word}: falling back to ${to} ${when}` : `${face.word}: retrying ${when} (${next} of ${of})`;
}

function holdText(card, now, busy) {
  const {hold, state, slot, until, tone} = card.face;
  if (tone === 'thinking') return `${hold} (${countText(card.thought, 'token')} so far)`;
  if (state !== 'queued') return hold;
  if (slot !== undefined) return `${hold}: ${othersText(busy?.[slot] ?? 0)}.`;
  return until === undefined ? hold : `${hold}: goes on ${inTime(until - now, 'any moment')}.`;
}

function othersText(count) {
  if (!count) return 'other runs have them all';
  return `${count === 1 ? 'another one is' : `${count} others are`} being answered`;
}

// When the answer is combined, and when the run ends at the latest.
function planText({plan, until}, now) {
  const end = until === undefined ? '' : `ends ${inTime(until - now, 'now')} at the latest`;
  return [plan, end].filter(Boolean).join(' · ');
}

const countText = (count, noun) => `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;

const count = ([spent, since], now) => (since === null ? spent : spent + Math.max(0, now - since));

function rateOf(card, now) {
  const seconds = count(card.face.pace, now);
  return card.tokens > 1 && seconds > 0.25 ? card.tokens / seconds : null;
}

// The same words and digits as fanout/render/words.py gives the final numbers.
function liveNumbers(card, now) {
  const {face, tokens, thought} = card;
  if (face.state === 'ready') return [];
  const parts = [secondsText(count(face.clock, now))];
  const off = count(face.off, now);
  if (off > 0) parts.push(`backing off ${secondsText(off)}`);
  if (face.first !== null) parts.push(`first token ${secondsText(face.first)}`);
  if (thought && face.state !== 'waiting') parts.push(`thought ≈ ${countText(thought, 'token')}`);
  if (tokens) parts.push(`≈ ${countText(tokens, 'token')}`);
  const rate = rateOf(card, now);
  if (rate) parts.push(rateText(rate));
  return parts;
}

const rateText = (rate) => `${rate.toFixed(rate < 9.95 ? 1 : 0)} tok/s`;

function secondsText(seconds) {
  if (seconds > 0 && seconds < 0.095) return `${seconds.toFixed(2)} s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

// One card: a branch's column or the combined answer. Draws a face; asks nobody.

const ICONS = {
  check: 'M4 12.5l5 5L20 6.5',
  stop: 'M7 7h10v10H7z',
  alert: 'M12 5v9M12 18.2v.3',
  retry: 'M19 12a7 7 0 1 1-2.2-5.1M19 4v4.5h-4.5',
  dash: 'M6 12h12',
  ring: 'M12 6a6 6 0 1 0 0 12a6 6 0 1 0 0-12',
  copy: 'M9 9h10v11H9zM6 15H5V4h10v2',
  expand: 'M7 10l5-5 5 5M7 14l5 5 5-5',
  vote: 'M5 11v9h14v-9zM8 11l3.5 3.5L19 6',
  trace: 'M5 5v6a4 4 0 0 0 4 4h10M15 11l4 4-4 4',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M12 5v13M6 12.5l6 6 6-6',
  fold: 'M5 6h6a4 4 0 0 1 4 4v8M11 14.5l4 4 4-4',
  twin: 'M4 8h13M13.5 4.5L17 8l-3.5 3.5M4 16h13M13.5 12.5L17 16l-3.5 3.5',
  swap: 'M5 18v-5a4 4 0 0 1 4-4h10M15.5 5.5L19 9l-3.5 3.5',
};
const MARKS = {
  ready: 'ring', queued: 'ring', waiting: 'ring', retrying: 'retry', done: 'check', cached: 'check',
  stopped: 'stop', failed: 'alert', timed_out: 'alert', skipped: 'dash', vote: 'vote', abstained: 'dash',
  thinking: '',
};
const KINDS = {fallback: 'swap', restart: 'retry', hedge: 'twin'};
const AT_WORK = new Set(['queued', 'waiting', 'writing', 'retrying']);

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

function button(name, label, symbol, act, text) {
  const node = make('button', name);
  node.type = 'button';
  node.setAttribute('aria-label', label);
  node.title = label;
  node.append(icon(symbol));
  if (text) node.append(make('span', '', text));
  node.addEventListener('click', act);
  return node;
}

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// `spec`: {id, title, letter, light, dark, wide}; combined answers are wide, the first has no letter.
function makeCard(spec, board) {
  const wide = !!spec.wide;
  const card = {
    spec, wide, text: emptyText(), shown: [], tokens: 0, thought: 0, face: null, stick: true, top: 0, sources: null,
  };
  const node = card.node = make('section', wide ? 'card wide' : 'card');
  node.setAttribute('role', 'region');
  node.setAttribute('aria-label', spec.title);
  node.style.setProperty('--k-light', spec.light);
  node.style.setProperty('--k-dark', spec.dark);
  const head = make('header', 'head');
  if (spec.letter) head.append(badge(spec.letter));
  card.title = make('h2', 'title', spec.title);
  card.title.dir = 'auto';
  card.chip = make('span', 'chip');
  card.acts = makeActs(card, board);
  head.append(card.title, card.chip, card.acts);
  card.body = make('div', 'body');
  if (!wide) {
    card.body.tabIndex = 0;
    card.body.setAttribute('role', 'group');
    card.body.setAttribute('aria-label', `${spec.title}: text`);
    card.body.addEventListener('scroll', () => watchScroll(card), {passive: true});
    watchWishes(card);
  }
  card.hold = make('p', 'hold');
  card.html = make('div', 'text');
  card.body.append(card.hold, card.html);
  card.jump = button('jump', `Jump to the latest of ${spec.title}`, 'down', () => toLatest(card), 'Jump to latest');
  card.jump.hidden = true;
  const middle = make('div', 'middle');
  middle.append(card.body, card.jump);
  card.note = make('p', 'note');
  card.note.hidden = true;
  card.foot = make('footer', 'foot');
  card.marks = make('ul', 'marks');
  card.marks.hidden = true;
  node.append(make('i', 'stripe'), head, card.marks, middle, card.note, card.foot);
  return card;
}

function badge(letter) {
  const node = make('span', 'letter', letter);
  node.setAttribute('aria-hidden', 'true');
  return node;
}

function makeActs(card, board) {
  const {id, title} = card.spec;
  const acts = make('div', 'acts');
  const name = copiedName(card, title);
  card.stop = button('act word', `Stop ${title}`, 'stop', () => board.ask({stop: id}), 'Stop');
  card.retry = button('act word', `Retry ${title}`, 'retry', () => board.ask({retry: id}), 'Retry');
  card.copy = button('act', `Copy ${name}`, 'copy', () => board.copy(card.copy, () => plainText(card.html)));
  card.fold = button('act word', 'Fold in what came later', 'fold', () => board.ask({fold: true}), 'Fold in');
  // Which of them it can be is told by the first picture of the run.
  card.stop.hidden = card.retry.hidden = card.fold.hidden = true;
  acts.append(card.stop, card.retry, card.fold, card.copy);
  if (!card.wide) {
    card.grow = button('act', `Show all of ${title}`, 'expand', () => {
      const tall = card.node.classList.toggle('tall');
      card.grow.setAttribute('aria-expanded', String(tall));
    });
    card.grow.setAttribute('aria-expanded', 'false');
    acts.append(card.grow);
  }
  return acts;
}

const copiedName = (card, title) => (card.wide ? title[0].toLowerCase() + title.slice(1) : title);

// What kind of answer it is becomes known when it is begun.
function rename(card, title) {
  if (card.node.getAttribute('aria-label') === title) return;
  card.node.setAttribute('aria-label', title);
  for (const [node, name] of [
    [card.stop, `Stop ${title}`], [card.retry, `Retry ${title}`], [card.copy, `Copy ${copiedName(card, title)}`],
  ]) {
    node.setAttribute('aria-label', name);
    node.title = name;
  }
}

const HELD_MS = 600;

// A key or wheel scrolls smoothly: before its first pixel shows, the next words would pull the text
// down again. So the wish to go up lets go, not the movement.
function letGo(card) {
  if (card.body.scrollTop <= 0) return;
  card.stick = false;
  card.held = performance.now() + HELD_MS;
  card.jump.hidden = card.face?.state !== 'writing';
}

function watchWishes(card) {
  card.body.addEventListener('keydown', (event) => {
    if (['ArrowUp', 'PageUp', 'Home'].includes(event.key)) letGo(card);
  });
  card.body.addEventListener('wheel', (event) => { if (event.deltaY < 0) letGo(card); }, {passive: true});
}

function watchScroll(card) {
  const {scrollHeight, scrollTop, clientHeight} = card.body;
  const left = scrollHeight - scrollTop - clientHeight;
  const held = performance.now() < (card.held ?? 0);
  if (left < 2 && !held) card.stick = true;
  else if (scrollTop < card.top) card.stick = false;
  else if (left < 24 && !held) card.stick = true;
  card.top = scrollTop;
  card.body.classList.toggle('scrolled', scrollTop > 0);
  card.jump.hidden = card.stick || card.face?.state !== 'writing';
}

function toLatest(card) {
  card.stick = true;
  card.held = 0;
  card.jump.hidden = true;
  card.body.scrollTop = card.body.scrollHeight;
  card.body.focus({preventScroll: true});
}

// Everything of a card that a frame may have changed.
function paintCard(card) {
  const {face, node} = card;
  paintText(card.html, card.shown, card.text);
  const empty = !card.shown.length;
  const writing = face.state === 'writing';
  say(card.title, face.title);
  card.title.title = face.title;
  if (face.label) rename(card, face.label);
  node.dataset.state = face.state;
  node.dataset.tone = face.tone;
  node.setAttribute('aria-busy', String(AT_WORK.has(face.state) || face.before.some((line) => AT_WORK.has(line.state))));
  card.html.classList.toggle('live', writing);
  card.hold.hidden = !empty || !face.hold;
  say(card.note, face.note);
  card.note.hidden = !face.note;
  card.note.classList.toggle('bad', face.bad);
  paintMarks(card);
  if (card.wide) paintBefore(card);
  reachTables(card);
  swapFocus(card);
  node.classList.toggle('blank', empty);
  card.copy.disabled = empty;
  if (card.grow) card.grow.disabled = empty;
  const mark = MARKS[face.tone] ?? MARKS[face.state] ?? '';
  if (!card.word || card.mark !== mark) {
    card.mark = mark;
    card.word = make('span');
    card.chip.replaceChildren(mark ? icon(mark) : make('i', 'pulse'), card.word);
  }
  // Once more when it has just ended, because a note may have taken some of its room.
  if (card.stick && (writing || card.wrote) && !card.wide) card.body.scrollTop = card.body.scrollHeight;
  card.wrote = writing;
  card.followed ||= writing;
  if (!writing) card.jump.hidden = true;
}

// What is unusual about this column, in a small line each.
function paintMarks(card) {
  const marks = card.face.marks ?? [];
  const told = JSON.stringify(marks);
  if (card.told === told) return;
  card.told = told;
  card.marks.replaceChildren(...marks.map(([kind, text]) => {
    const line = make('li');
    line.append(icon(KINDS[kind]), make('span', '', text));
    return line;
  }));
  card.marks.hidden = !marks.length;
}

// A table wider than its card scrolls in its block, which must be in the keyboard's reach.
function reachTables(card) {
  for (const table of card.html.querySelectorAll(':scope > .block > table')) {
    const block = table.parentNode;
    if (block.scrollWidth <= block.clientWidth) {
      for (const name of ['tabindex', 'role', 'aria-label']) block.removeAttribute(name);
    } else if (block.tabIndex < 0) {
      block.tabIndex = 0;
      block.setAttribute('role', 'group');
      block.setAttribute('aria-label', `${card.node.getAttribute('aria-label')}: table`);
    }
  }
}

// A button that goes away under the reader's finger hands its focus on, not to the top of the page.
function swapFocus(card) {
  const focused = card.node.getRootNode().activeElement;
  for (const act of ['stop', 'retry', 'fold']) card[act].hidden = card.face.can !== act;
  const leaving = [card.stop, card.retry, card.fold].includes(focused) && focused.hidden;
  if (leaving) (card.wide ? card.copy : card.body).focus({preventScroll: true});
}

// Everything of a card that time alone changes.
function tickCard(card, now, extra, busy) {
  const {face} = card;
  say(card.word, chipText(face, now, rateOf(card, now)));
  say(card.hold, card.hold.hidden ? '' : holdText(card, now, busy));
  if (card.wide) tickBefore(card, now);
  const parts = face.foot ?? liveNumbers(card, now);
  const all = [...parts, extra].join('|');
  if (card.parts === all) return;
  card.parts = all;
  card.foot.replaceChildren(...parts.map((part) => make('span', '', part)));
  if (face.foot && parts.length > 1) card.foot.lastChild.className = 'end';
  if (extra) card.foot.insertBefore(make('span', 'extra', extra), card.wide ? null : card.foot.querySelector('.end'));
  card.foot.hidden = card.wide && !parts.length && !extra;
  // A foot that has grown to two lines takes its room from the end of the text.
  if (face.foot && card.followed && card.stick && !card.wide) card.body.scrollTop = card.body.scrollHeight;
}

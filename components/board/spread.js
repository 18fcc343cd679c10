// What of a presentation is on the screen: pages of columns, one answer, one number, or everything.

const STAY_MS = 3500;

function draw(show) {
  const {board, root} = show;
  const steps = stepsOf(show);
  show.step = Math.min(show.step, steps.length - 1);
  const cards = [...board.cards.values()];
  const columns = cards.filter((card) => !card.wide);
  const name = show.flow || show.all ? '' : steps[show.step];
  const view = viewOf(show, name, cards);
  const per = spread(show, columns.length);
  const page = Math.floor((Math.max(1, show.step) - 1) / per);
  root.dataset.view = view;
  root.style.setProperty('--per', per);
  root.classList.toggle('flow', show.flow);
  root.classList.toggle('dense', show.flow && Math.ceil(columns.length / per) > 1);
  columns.forEach((card, i) => {
    pose(card, show.flow || show.all || Math.floor(i / per) === page, !show.flow && !show.all && i >= show.step, card.spec.id === name);
  });
  const writing = view === 'answer' && show.flow ? cards.filter((card) => card.wide && atWork(card)).at(-1) : null;
  const answer = writing ?? (board.cards.get(name)?.wide ? board.cards.get(name) : cards.find((card) => card.wide));
  for (const card of cards.filter((card) => card.wide)) pose(card, show.all || card === answer, false, false);
  drawSum(show);
  drawPips(show, steps, columns);
  if (view === 'answer' && show.flow && answer?.face?.state === 'writing') answer.body.scrollTop = answer.body.scrollHeight;

  function pose(card, here, veiled, fresh) {
    card.node.classList.toggle('here', here);
    card.node.classList.toggle('veiled', veiled);
    card.node.classList.toggle('fresh', fresh);
  }
}

const atWork = (card) => !!card.face && card.face.state !== 'ready';

function viewOf(show, name, cards) {
  if (show.all) return 'all';
  if (show.flow) return cards.some((card) => card.wide && atWork(card)) ? 'answer' : 'columns';
  if (name === 'headline') return 'headline';
  return show.board.cards.get(name)?.wide ? 'answer' : 'columns';
}

// Columns beside each other: as many as can be read from the last row, spread evenly over the pages.
function spread(show, count) {
  const {root, flow} = show;
  const em = parseFloat(getComputedStyle(root).fontSize) || 16;
  const fit = Math.max(1, Math.floor((root.clientWidth - 2 * em) / (COLUMN_EM * em)));
  if (flow && fit > 1) return Math.max(1, Math.min(count, Math.max(fit, Math.ceil(count / MOST_ROWS))));
  return Math.max(1, Math.ceil(count / Math.max(1, Math.ceil(count / fit))));
}

function drawSum(show) {
  const {headline} = show.board;
  if (show.told === headline) return;
  show.told = headline;
  show.sum.replaceChildren();
  if (!headline) return;
  const money = headline.money[0].toUpperCase() + headline.money.slice(1);
  show.sum.append(make('p', 'number', headline.number));
  for (const [name, text] of [['gain', headline.gain], ['money', money], ['honest', headline.honest]]) {
    if (text) show.sum.append(make('p', name, text));
  }
}

// Where one is: a letter for each branch, a bar for each answer, a dot for the number.
function drawPips(show, steps, columns) {
  const {board, pips} = show;
  const names = steps.slice(1);
  while (pips.children.length > names.length) pips.lastChild.remove();
  names.forEach((name, i) => {
    let pip = pips.children[i];
    if (!pip) pips.append(pip = make('i', 'pip'));
    const spec = board.cards.get(name)?.spec;
    dress(pip, spec ?? board.accent);
    say(pip, i < columns.length ? spec.letter : '');
    pip.classList.toggle('wide-pip', i >= columns.length);
    pip.classList.toggle('on', show.flow || show.all || i < show.step);
  });
}

function scrollStage(show, by) {
  const {root, board} = show;
  const lines = by * 3 * 1.45 * parseFloat(getComputedStyle(root).fontSize);
  const behavior = calm() ? 'auto' : 'smooth';
  if (show.all) return root.scrollBy({top: lines, behavior});
  for (const card of board.cards.values()) {
    if (!card.node.classList.contains('here')) continue;
    show.still.add(card);
    card.body.scrollBy({top: lines, behavior});
  }
}

// A text longer than its column passes by slowly, stays a while and begins again.
function drift(show) {
  if (show.all || calm()) return;
  const step = 0.045 * parseFloat(getComputedStyle(show.root).fontSize);
  for (const card of show.board.cards.values()) {
    const {body, node} = card;
    if (!node.classList.contains('here') || node.classList.contains('veiled') || show.still.has(card)) continue;
    if (!card.face || AT_WORK.has(card.face.state) || (show.flow && show.board.reel?.playing)) continue;
    const most = body.scrollHeight - body.clientHeight;
    const now = performance.now();
    card.until ??= now + STAY_MS;
    if (most < 4 || now < card.until) continue;
    if (card.drifted >= most) {
      rest(card);
      continue;
    }
    card.drifted = Math.min(most, (card.drifted ?? 0) + step);
    body.scrollTop = card.drifted;
    if (card.drifted >= most) card.until = now + STAY_MS;
  }
}

function rest(card) {
  card.drifted = 0;
  card.until = undefined;
  card.body.scrollTop = 0;
}

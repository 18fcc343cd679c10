// A combined answer's card: a branch's card with the calls that prepared it, and its sources.

const COMBINED = 'aggregate';
const ANSWER = /^aggregate(?:-(\d+))?$/;

const answerNumber = (id) => Number(ANSWER.exec(id)?.[1] ?? 1);

// Answers stand in the order of their numbers, whichever frame brings them first.
function addAnswer(board, id) {
  const number = answerNumber(id);
  const title = number === 1 ? 'Combined answer' : `Combined answer ${number}`;
  const card = makeCard({id, title, letter: number === 1 ? '' : String(number), wide: true, ...board.accent}, board);
  card.number = number;
  card.before = make('ul', 'before');
  card.before.setAttribute('aria-label', 'Prepared by');
  card.panel = make('div', 'panel');
  card.panel.id = `panel-${number}`;
  card.panel.hidden = true;
  card.body.before(card.before);
  card.body.after(card.panel);
  card.tracing = button('act word toggle', 'Sources', 'trace', () => toggleSources(board, card), 'Sources');
  card.tracing.title = 'Show where each sentence came from';
  card.tracing.hidden = true;
  card.traced = true;
  card.acts.prepend(card.tracing);
  watchSentences(board, card);
  const next = [...board.cards.values()].find((other) => other.wide && other.number > number);
  board.answers.insertBefore(card.node, next?.node ?? null);
  board.cards.set(id, card);
  countAnswers(board);
  return card;
}

function dropAnswer(board, id) {
  const card = board.cards.get(id);
  if (!card?.wide) return;
  if (board.lit?.card === card) dim(board);
  card.node.remove();
  board.cards.delete(id);
  board.dirty.delete(card);
  countAnswers(board);
}

function countAnswers(board) {
  board.answers.classList.toggle('several', board.answers.children.length > 1);
}

function paintBefore(card) {
  const lines = card.face.before;
  while (card.before.children.length > lines.length) card.before.lastChild.remove();
  lines.forEach((line, i) => {
    let row = card.before.children[i];
    if (!row) {
      row = make('li');
      row.append(make('span', 'mark'), make('span', 'what'), make('span', 'time'));
      card.before.append(row);
    }
    if (row.dataset.state !== line.state) {
      row.dataset.state = line.state;
      row.children[0].replaceChildren(MARKS[line.state] ? icon(MARKS[line.state]) : make('i', 'pulse'));
    }
    row.classList.toggle('bad', line.bad);
    say(row.children[1], `${line.title} · ${line.word.toLowerCase()}`);
  });
  card.before.hidden = !lines.length;
}

function tickBefore(card, now) {
  card.face.before.forEach((line, i) => {
    const seconds = count(line.clock, now);
    if (card.before.children[i]) say(card.before.children[i].children[2], seconds ? ` · ${secondsText(seconds)}` : '');
  });
}

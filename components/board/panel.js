// Under an answer: the words that a sentence came from, or the passage that it cites.

function openPanel(board, card, sentence, passage) {
  const {panel} = card;
  const head = make('div', 'panel-head');
  const title = make('h3', '', passage ? 'Cited passage' : 'Where this sentence came from');
  const close = button('act', 'Close', 'close', () => {
    const back = opener(card, sentence, passage);
    dim(board);
    back?.focus({preventScroll: true});
  });
  head.append(title, close);
  const rows = passage ? [passageRow(board, card, passage, sentence)] : sourceRows(board, card, sentence);
  panel.replaceChildren(head, ...rows);
  panel.hidden = false;
  const by = opener(card, sentence, passage);
  by?.setAttribute('aria-expanded', 'true');
  by?.setAttribute('aria-controls', panel.id);
  board.live.textContent = panel.textContent;
}

function closePanel(card) {
  card.panel.hidden = true;
  card.panel.replaceChildren();
  for (const stop of card.stops) stop.setAttribute('aria-expanded', 'false');
}

// The button that stands for what is open.
function opener(card, sentence, passage) {
  return card.stops.find((stop) => (passage
    ? stop.dataset.passage === passage && (!sentence || stop.closest('.told')?.dataset.sentence === String(sentence.number))
    : stop.dataset.sentence === String(sentence?.number)));
}

function sourceRows(board, card, sentence) {
  if (sentence.found !== 'found') {
    const who = card.sources.passages.length ? 'passage' : 'branch';
    const text = sentence.why
      ? `No source found: ${sentence.why}.`
      : `No source found: no ${who} says this in similar words. It may be new, or put quite differently.`;
    const row = make('p', 'quote', text);
    return sentence.by.length ? [row, ...quoteRows(board, card, sentence, 'Nearest')] : [row];
  }
  return quoteRows(board, card, sentence, '');
}

function quoteRows(board, card, sentence, prefix) {
  return sentence.by.map(([id, quote]) => {
    const source = sourceOf(board, card, id);
    if (!source) return '';
    const row = dress(make('p', 'quote'), source);
    const where = source.passage ? passageTitle(source.passage) : source.branch.face.title;
    row.append(badge(source.letter), make('b', '', `${prefix ? `${prefix}: ` : ''}${where} `), make('q', '', quote));
    return row;
  });
}

const passageTitle = ({title, place}) => (place ? `${title}, ${place}` : title);

function passageRow(board, card, id, sentence) {
  const passage = card.sources.passages.find((one) => one.id === id);
  const row = dress(make('div', 'quote'), board.accent);
  const text = make('p', 'passage', passage.text);
  const name = make('p', 'where');
  name.append(badge(id), make('b', '', passageTitle(passage)));
  row.append(name, text);
  const quote = sentence?.by.find(([source]) => source === id)?.[1];
  if (quote) {
    const index = indexText(text);
    const place = locate(index, quote);
    if (place) wrapPlace(index, place, () => make('mark', 'quoted'));
  }
  return row;
}

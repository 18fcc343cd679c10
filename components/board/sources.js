// Where each sentence of an answer came from: marked in the answer, and lit up in its source.

const STEPS = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};

// What a source is called and which colour it wears: a branch, or a passage that is cited.
function sourceOf(board, card, id) {
  const passage = card.sources.passages.find((one) => one.id === id);
  if (passage) return {passage, letter: id, name: `passage ${id}, ${passage.title}`, ...board.accent};
  const branch = board.cards.get(id);
  if (!branch) return null;
  const {letter, light, dark} = branch.spec;
  return {branch, letter, light, dark, name: `${letter} ${branch.face?.title ?? branch.spec.title}`};
}

function dress(node, source) {
  node.style.setProperty('--k-light', source.light);
  node.style.setProperty('--k-dark', source.dark);
  return node;
}

// Show what is known; called whenever the text, the sources or the switch have changed.
function showSources(board, card) {
  unmark(board, card);
  card.tracing.hidden = !card.sources;
  card.tracing.setAttribute('aria-pressed', String(card.traced));
  if (!card.sources || !card.traced) return;
  const index = indexText(card.html);
  let from = 0;
  for (const told of card.sources.sentences) {
    const place = locate(index, told.text, from);
    if (!place) continue;
    from = place.next;
    if (told.found !== 'plain') card.sentences.push({...told, place, number: card.sentences.length});
  }
  for (const sentence of [...card.sentences].reverse()) mark(board, card, sentence, index);
  cite(board, card);
  card.stops = [...card.html.querySelectorAll('.from, .cite')];
  card.stops.forEach((stop, i) => { stop.tabIndex = i ? -1 : 0; });
}

function unmark(board, card) {
  if (board.lit?.card === card) dim(board);
  if (!card.sentences.length && !card.stops.length) return;
  for (const node of card.html.querySelectorAll('.from, .glue')) node.remove();
  unwrap(card.html, '.told, .cite');
  card.sentences = [];
  card.stops = [];
}

function mark(board, card, sentence, index) {
  const sources = sentence.by.map(([id]) => sourceOf(board, card, id)).filter(Boolean);
  const supported = sentence.found === 'found' && sources.length > 0;
  const [best] = sources;
  sentence.spans = wrapPlace(index, sentence.place, () => {
    const span = make('span', supported ? 'told' : 'told none');
    span.dataset.sentence = sentence.number;
    if (!supported) span.title = noSource(sentence);
    return supported ? dress(span, best) : span;
  });
  if (!sentence.spans.length) return;
  // The colour is that of the best source; the letters stand in the order of the columns.
  sources.sort((one, other) => one.letter.length - other.letter.length || (one.letter < other.letter ? -1 : 1));
  sentence.name = supported ? `from ${listed(sources.map((one) => one.name))}` : noSource(sentence);
  // A citation in the sentence is already a way to its source.
  const cited = supported && sources.some((one) => one.passage && sentence.text.includes(`[${one.letter}]`));
  if (cited) return;
  const last = sentence.spans.at(-1);
  const node = fromButton(sentence, supported ? sources : []);
  const link = last.closest('a');
  // A word joiner: the letters must not begin a line of their own.
  const joined = [make('span', 'glue', '\u2060'), node];
  if (link) link.after(...joined);
  else last.append(...joined);
}

function fromButton(sentence, sources) {
  const node = make('button', sources.length ? 'from' : 'from none');
  node.type = 'button';
  node.dataset.sentence = sentence.number;
  node.setAttribute('aria-label', `Sentence, ${sentence.name}`);
  node.setAttribute('aria-expanded', 'false');
  for (const source of sources) node.append(dress(make('b', '', source.letter), source));
  if (!sources.length) node.append(make('b', '', '?'));
  return node;
}

const noSource = (sentence) => `no source found${sentence.why ? `: ${sentence.why}` : ''}`;

const listed = (names) => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`);

// "[2]" becomes a button that opens the passage.
function cite(board, card) {
  const {passages} = card.sources;
  if (!passages.length) return;
  const index = indexText(card.html);
  for (const node of index.nodes) {
    if (node.parentNode.closest('.from')) continue;
    for (const found of [...node.data.matchAll(/\[(\d+)\]/g)].reverse()) {
      const passage = passages[Number(found[1]) - 1];
      if (!passage) continue;
      node.splitText(found.index + found[0].length);
      const part = node.splitText(found.index);
      const link = make('button', 'cite');
      link.type = 'button';
      link.dataset.passage = passage.id;
      link.setAttribute('aria-label', `${found[0]} Passage ${passage.id}: ${passage.title}`);
      link.setAttribute('aria-expanded', 'false');
      part.replaceWith(link);
      link.append(part);
    }
  }
}

function toggleSources(board, card) {
  card.traced = !card.traced;
  showSources(board, card);
  tick(board);
}

const sentenceAt = (card, node) => card.sentences[node.closest?.('[data-sentence]')?.dataset.sentence];

function watchSentences(board, card) {
  card.sentences = [];
  card.stops = [];
  const root = card.html;
  root.addEventListener('mouseover', (event) => {
    const sentence = sentenceAt(card, event.target);
    if (sentence && !board.lit?.pinned) light(board, card, sentence);
  });
  root.addEventListener('mouseleave', () => { if (!board.lit?.pinned) dim(board); });
  root.addEventListener('focusin', (event) => {
    const at = card.stops.indexOf(event.target);
    if (at < 0) return;
    card.stops.forEach((stop, i) => { stop.tabIndex = i === at ? 0 : -1; });
    const sentence = sentenceAt(card, event.target);
    if (sentence && board.lit?.sentence !== sentence) light(board, card, sentence);
  });
  root.addEventListener('focusout', () => { if (!board.lit?.pinned) dim(board); });
  root.addEventListener('keydown', (event) => step(card, event));
  root.addEventListener('click', (event) => {
    const passage = event.target.closest('.cite')?.dataset.passage;
    const sentence = sentenceAt(card, event.target);
    if (event.target.closest('a') || (!sentence && !passage) || selecting(root)) return;
    const again = board.lit?.pinned && board.lit.sentence === sentence && board.lit.passage === passage;
    if (again) dim(board);
    else pin(board, card, sentence, passage);
  });
}

// A click that ends a selection of text is none.
function selecting(root) {
  const selection = root.getRootNode().getSelection?.() ?? document.getSelection();
  return !!selection && !selection.isCollapsed && selection.toString().trim().length > 1;
}

function step(card, event) {
  const at = card.stops.indexOf(event.target);
  const last = card.stops.length - 1;
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const to = {Home: 0, End: last}[event.key] ?? (event.key in STEPS ? at + STEPS[event.key] : null);
  if (to === null) return;
  event.preventDefault();
  card.stops[Math.max(0, Math.min(last, to))].focus();
}

function light(board, card, sentence, passage) {
  if (sentence && board.lit?.sentence === sentence && !board.lit.pinned) return;
  dim(board);
  const lit = board.lit = {card, sentence, passage, pinned: false, quoted: []};
  for (const span of sentence?.spans ?? []) span.classList.add('lit');
  for (const [id, quote] of sentence?.by ?? []) {
    const source = sourceOf(board, card, id);
    if (!source?.branch) continue;
    const index = indexText(source.branch.html);
    const place = locate(index, quote);
    if (!place) continue;
    const marks = wrapPlace(index, place, () => make('mark', 'quoted'));
    source.branch.node.classList.add('source');
    lit.quoted.push(source.branch);
    bringIntoView(source.branch, marks[0]);
  }
}

// Within the column's own box: the page stays where it is.
function bringIntoView(card, node) {
  if (!node) return;
  const box = card.body.getBoundingClientRect();
  const at = node.getBoundingClientRect();
  if (at.top >= box.top + 16 && at.bottom <= box.bottom - 8) return;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const top = card.body.scrollTop + at.top - box.top - 48;
  card.body.scrollTo({top, behavior: calm ? 'auto' : 'smooth'});
}

function dim(board) {
  const {lit} = board;
  if (!lit) return;
  board.lit = null;
  for (const span of lit.sentence?.spans ?? []) span.classList.remove('lit');
  for (const card of lit.quoted) {
    unwrap(card.html, 'mark.quoted');
    card.node.classList.remove('source');
  }
  if (lit.pinned) closePanel(lit.card);
}

function pin(board, card, sentence, passage) {
  dim(board);
  light(board, card, sentence, passage);
  board.lit.pinned = true;
  openPanel(board, card, sentence, passage);
}

function clearOnEscape(board, event) {
  if (event.key === 'Escape') dim(board);
}

// The answer that says how much of each branch arrived: the workflow's own, else the first.
function reachedOf(board, id) {
  for (const card of board.cards.values()) {
    const {sources} = card;
    if (card.wide && card.traced && sources && !sources.passages.length && id in sources.reached) return sources.reached[id];
  }
  return null;
}

// Which share of an answer, by length, came from whom.
function sharesOf(board, card) {
  if (!card.sources || !card.traced || card.sources.passages.length) return '';
  const shares = new Map();
  let whole = 0;
  for (const {text, found, by} of card.sources.sentences) {
    if (found === 'plain') continue;
    whole += text.length;
    const from = found === 'found' ? by.map(([id]) => board.cards.get(id)?.spec.letter).filter(Boolean) : [''];
    for (const letter of from) shares.set(letter, (shares.get(letter) ?? 0) + text.length / from.length);
  }
  const parts = [...shares].sort(([a], [b]) => !a - !b || a.length - b.length || (a < b ? -1 : 1));
  return parts.map(([letter, size]) => `${letter || 'no branch'} ${percent(size / whole)}`).join(' · ');
}

const percent = (share) => `${Math.round(100 * share)} %`;

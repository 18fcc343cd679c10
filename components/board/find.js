// Finding plain words in rendered text, and wrapping them. Only letters and digits are compared:
// spaces, dashes and marks may differ between a text as it was written and as it is shown.

const LETTER = /[\p{L}\p{N}]/u;
const OPENS = /["'“‘«‹(\[¿¡„]/;

const lettersOf = (text) => [...text].filter((sign) => LETTER.test(sign)).join('');

// Every letter below `root` with the text node and the offset where it stands.
function indexText(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  const places = [];
  let letters = '';
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    let offset = 0;
    for (const sign of node.data) {
      if (LETTER.test(sign)) {
        letters += sign;
        for (let unit = 0; unit < sign.length; unit++) places.push([nodes.length, offset, sign.length]);
      }
      offset += sign.length;
    }
    nodes.push(node);
  }
  return {nodes, places, letters};
}

// Where `text` stands, at or after the letter `from`; null where it doesn't.
function locate(index, text, from = 0) {
  const wanted = lettersOf(text);
  const at = wanted ? index.letters.indexOf(wanted, from) : -1;
  if (at < 0) return null;
  const next = at + wanted.length;
  let [first, start] = index.places[at];
  let [last, end, size] = index.places[next - 1];
  end += size;
  const before = index.nodes[first].data;
  const after = index.nodes[last].data;
  while (start > 0 && OPENS.test(before[start - 1])) start--;
  while (end < after.length && closes(after, end)) end++;
  return {first, start, last, end, next};
}

const letterAt = (text, at) => at < text.length && LETTER.test(String.fromCodePoint(text.codePointAt(at)));

// What belongs to the words before it: full stops and closing quotes, not a bracket that opens.
function closes(text, at) {
  if (/\s/.test(text[at]) || letterAt(text, at)) return false;
  return !(OPENS.test(text[at]) && letterAt(text, at + 1));
}

// Wrap a place, text node by text node, in what `make` makes. Later places must be wrapped first.
function wrapPlace(index, place, make) {
  const made = [];
  for (let i = place.last; i >= place.first; i--) {
    const node = index.nodes[i];
    const start = i === place.first ? place.start : 0;
    const end = i === place.last ? place.end : node.data.length;
    if (!node.data.slice(start, end).trim()) continue;
    node.splitText(end);
    const part = node.splitText(start);
    const wrapper = make();
    part.replaceWith(wrapper);
    wrapper.append(part);
    made.unshift(wrapper);
  }
  return made;
}

function unwrap(root, selector) {
  for (const node of root.querySelectorAll(selector)) node.replaceWith(...node.childNodes);
  root.normalize();
}

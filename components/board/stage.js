// The board on a page without Streamlit: in a report opened from a disk, or on a projector.

// `data`: what `fanout.render.stage.board_data` makes. Returns {board, close}.
function mountBoard(element, data) {
  const shadow = element.shadowRoot ?? element.attachShadow({mode: 'open'});
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [sheet];
  element.dataset.theme = data.theme ?? 'auto';
  const root = make('div', 'board');
  root.setAttribute('role', 'group');
  root.setAttribute('aria-label', 'Branches');
  shadow.replaceChildren(root);
  const board = makeBoard(root, data);
  board.update({data, setTriggerValue() {}, setStateValue() {}});
  return {board, close: () => { board.close(); shadow.replaceChildren(); }};
}

const dataIn = (id) => JSON.parse(document.getElementById(id).textContent);

// <div data-board="ID"> becomes a board of the JSON in the element of that id.
function mountAll() {
  for (const node of document.querySelectorAll('[data-board]')) mountBoard(node, dataIn(node.dataset.board));
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', mountAll);
else mountAll();
Object.assign(window, {mountBoard});

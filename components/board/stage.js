// The board on a page without Streamlit: in a report opened from a disk, or on a projector.

// `data`: what `fanout.render.stage` makes. Returns {board, close}.
function mountBoard(element, data) {
  const root = shadowRoot(element, data.theme);
  const board = makeBoard(root, data);
  board.update({data, setTriggerValue() {}, setStateValue() {}});
  return {board, close: () => { board.close(); root.remove(); }};
}

function shadowRoot(element, theme) {
  const shadow = element.shadowRoot ?? element.attachShadow({mode: 'open'});
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [sheet];
  element.dataset.theme = theme ?? 'auto';
  const root = make('div', 'board');
  root.setAttribute('role', 'group');
  root.setAttribute('aria-label', 'Branches');
  shadow.replaceChildren(root);
  return root;
}

const dataIn = (id) => JSON.parse(document.getElementById(id).textContent);

// <div data-board="ID"> becomes a board of the JSON in the element of that id, and
// <button data-present="ID"> opens it for a projector; anything else with that name opens at once.
function mountAll() {
  for (const node of document.querySelectorAll('[data-board]')) mountBoard(node, dataIn(node.dataset.board));
  for (const node of document.querySelectorAll('[data-present]')) {
    const open = () => presentBoard(dataIn(node.dataset.present));
    if (node.matches('button, a')) node.addEventListener('click', open);
    else open();
  }
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', mountAll);
else mountAll();
Object.assign(window, {mountBoard, presentBoard});

// How Streamlit mounts the board.

const boards = new WeakMap();

export default function (component) {
  const {data, parentElement} = component;
  const root = parentElement.querySelector('.board');
  let board = boards.get(parentElement);
  // Streamlit may clean up and run this again on the same elements: what is there goes on.
  clearTimeout(board?.leaving);
  if (board && (board.run !== data.run || board.root !== root || !root.firstChild)) {
    board.close();
    board = null;
  }
  if (!board) boards.set(parentElement, (board = makeBoard(root, data)));
  board.update(component);
  return () => {
    board.leaving = setTimeout(() => {
      board.close();
      if (boards.get(parentElement) === board) boards.delete(parentElement);
    }, 300);
  };
}

// Taking text away: one card's or everything, with the browser's clipboard or without.

function everything(board) {
  const parts = [...board.cards.values()].filter((card) => card.shown.length).map((card) => {
    const note = card.face.note ? `\n\n[${card.face.note}]` : '';
    return `## ${card.face.title}\n\n${plainText(card.html)}${note}`;
  });
  return `${parts.join('\n\n')}\n`;
}

async function copyText(board, node, text) {
  const copied = await toClipboard(board, text);
  node.dataset.said = copied ? 'Copied' : 'This browser does not allow copying here';
  board.live.textContent = node.dataset.said;
  clearTimeout(node.after);
  node.after = setTimeout(() => delete node.dataset.said, 1600);
}

// Pages served over plain http to other machines have no clipboard API.
async function toClipboard(board, text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make('textarea', 'unseen');
    area.value = text;
    area.setAttribute('aria-hidden', 'true');
    board.root.append(area);
    const focused = board.root.getRootNode().activeElement;
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    focused?.focus({preventScroll: true});
    return copied;
  }
}

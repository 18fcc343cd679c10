// A column's text: HTML blocks that grow. The HTML was sanitised by the server; nothing else may pass here.

const emptyText = () => ({closed: [], open: ''});

const splice = (before, [keep, tail]) => before.slice(0, keep) + tail;

function applyText(text, diff) {
  let before = text.open;
  text.closed.length = diff.keep;
  for (const cut of diff.closed) {
    text.closed.push(splice(before, cut));
    before = '';
  }
  text.open = splice(before, diff.open);
}

// Blocks keep their elements while they grow, so that a selection inside them survives.
function paintText(root, shown, text) {
  const blocks = text.open ? [...text.closed, text.open] : text.closed;
  while (shown.length > blocks.length) {
    shown.pop();
    root.lastElementChild.remove();
  }
  blocks.forEach((html, i) => {
    if (shown[i] === html) return;
    if (i === shown.length) root.append(make('div', 'block'));
    const parsed = document.createElement('template');
    parsed.innerHTML = html;
    morph(root.children[i], parsed.content);
    if (html.includes('<table')) letScroll(root.children[i]);
    shown[i] = html;
  });
}

// A wide table scrolls inside its block, by keys too.
function letScroll(block) {
  block.tabIndex = 0;
  block.setAttribute('role', 'group');
  block.setAttribute('aria-label', 'Table');
}

// Make the children of `have` like those of `want`, touching only what differs.
function morph(have, want) {
  let old = have.firstChild;
  for (const node of [...want.childNodes]) {
    if (!old) {
      have.append(node);
      continue;
    }
    const next = old.nextSibling;
    if (old.nodeType === 3 && node.nodeType === 3) {
      if (node.data.startsWith(old.data)) old.appendData(node.data.slice(old.data.length));
      else old.data = node.data;
    } else if (old.nodeName === node.nodeName && sameAttributes(old, node)) morph(old, node);
    else old.replaceWith(node);
    old = next;
  }
  while (old) {
    const next = old.nextSibling;
    old.remove();
    old = next;
  }
}

function sameAttributes(one, other) {
  return one.attributes.length === other.attributes.length
    && [...one.attributes].every((a) => other.getAttribute(a.name) === a.value);
}

// The text as somebody would type it, for the clipboard.
const plainText = (root) => typed(root).replace(/[ \t]+\n/g, '\n').replace(/\n{3,}/g, '\n\n').trim();

function bare(node) {
  const copy = node.cloneNode(true);
  for (const mark of copy.querySelectorAll('.from, .glue')) mark.remove();
  return copy.textContent;
}

const BETWEEN = new Set(['DIV', 'UL', 'OL', 'BLOCKQUOTE', 'TABLE', 'THEAD', 'TBODY', 'TR']);

function typed(node) {
  const inner = () => [...node.childNodes].map(typed).join('');
  const under = (mark) => mark + inner().trim().replace(/\n(?=.)/g, `\n${' '.repeat(mark.length)}`);
  if (node.nodeType === 3) {
    if (node.parentNode.closest('pre')) return node.data;
    return BETWEEN.has(node.parentNode.nodeName) ? '' : node.data.replace(/\s+/g, ' ');
  }
  switch (node.nodeName) {
    // The letters behind a sentence are ours, not the text's.
    case 'BUTTON': case 'SPAN': return node.matches('.from, .glue') ? '' : inner();
    case 'BR': return '\n';
    case 'HR': return '---\n\n';
    case 'P': return `${inner().trim()}\n\n`;
    case 'H3': case 'H4': case 'H5': case 'H6': return `${'#'.repeat(node.nodeName[1])} ${inner().trim()}\n\n`;
    case 'PRE': return `\`\`\`\n${bare(node).replace(/\n$/, '')}\n\`\`\`\n\n`;
    case 'STRONG': return `**${inner()}**`;
    case 'EM': return `*${inner()}*`;
    case 'CODE': return `\`${inner()}\``;
    case 'BLOCKQUOTE': return `${inner().trim().replace(/^/gm, '> ')}\n\n`;
    case 'A': return node.href && node.href !== inner() ? `${inner()} (${node.getAttribute('href')})` : inner();
    case 'LI': {
      const list = node.parentNode;
      const nth = (list.start || 1) + [...list.children].indexOf(node);
      return `${under(list.nodeName === 'OL' ? `${nth}. ` : '- ')}\n`;
    }
    case 'UL': case 'OL': return node.parentNode.nodeName === 'LI' ? `\n${inner()}` : `${inner()}\n`;
    case 'TR': return `| ${[...node.children].map((cell) => typed(cell).trim()).join(' | ')} |\n`;
    case 'THEAD': return `${inner()}|${' --- |'.repeat(node.querySelectorAll('th').length)}\n`;
    case 'TABLE': return `${inner()}\n`;
    default: return inner();
  }
}

// One page of a batch's rows as a real table. Texts become text nodes, never HTML. A row is drawn
// anew only where it has changed, so that focus and selection stay while others fill. Where it is
// narrow, rows become blocks: browsers then forget that they are a table, so each part says its role.

const tables = new WeakMap();
const HEADS = {
  n: 'Row', topic: 'Topic', state: 'State', answer: 'Answer', verdict: 'Verdict', time: 'Time', cost: 'Cost',
};

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
}

function part(tag, role, name) {
  const node = make(tag, name);
  node.setAttribute('role', role);
  return node;
}

function cell(name, row) {
  const td = name === 'topic' ? part('th', 'rowheader', name) : part('td', 'cell', name);
  if (name === 'topic') {
    td.scope = 'row';
    td.append(topic(row));
  } else if (name === 'state') {
    td.append(make('span', `state ${row.state}`, row.word));
  } else if (name === 'answer') {
    td.append(make('div', row.answer ? 'text' : 'text told', row.answer || row.told));
    if (row.answer && row.told) td.append(make('div', 'told', row.told));
    td.dir = 'auto';
  } else if (name === 'verdict') {
    td.append(make('span', 'choice', row.verdict));
    if (row.agreement) td.append(make('span', 'share', ` ${row.agreement}`));
  } else {
    td.textContent = name === 'n' ? row.n.toLocaleString('en') : row[name];
  }
  td.dataset.head = HEADS[name];
  return td;
}

function topic(row) {
  if (!row.run) {
    const said = make('span', 'name', row.topic);
    said.dir = 'auto';
    return said;
  }
  const link = make('a', 'name', row.topic);
  link.dir = 'auto';
  link.href = `./?run=${encodeURIComponent(row.run)}`;
  link.setAttribute('aria-label', `Open row ${row.n}: ${row.topic}`);
  link.addEventListener('click', (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    // As if the person had gone there by the browser's own buttons, which Streamlit follows.
    history.pushState({}, '', link.href);
    dispatchEvent(new PopStateEvent('popstate', {state: {}}));
  });
  return link;
}

function columns(data) {
  const names = Object.keys(HEADS);
  return data.verdicts ? names : names.filter((name) => name !== 'verdict');
}

function begin(table, data) {
  const names = columns(data);
  const drawn = part('table', 'table');
  drawn.append(make('caption', '', 'Rows of the batch'));
  const head = part('tr', 'row');
  for (const name of names) {
    const th = part('th', 'columnheader', name);
    th.textContent = HEADS[name];
    th.scope = 'col';
    head.append(th);
  }
  const thead = part('thead', 'rowgroup');
  thead.append(head);
  table.body = part('tbody', 'rowgroup');
  drawn.append(thead, table.body);
  table.root.replaceChildren(drawn);
  table.names = names;
  table.known = new Map();
}

function draw(table, data) {
  if (!table.body?.isConnected || String(table.names) !== String(columns(data))) begin(table, data);
  const known = new Map();
  let before = null;
  for (const row of data.rows) {
    const said = JSON.stringify(row);
    let was = table.known.get(row.n);
    if (!was) was = {said: '', node: part('tr', 'row')};
    if (was.said !== said) fill(table, was, row, said);
    const place = before ? before.nextSibling : table.body.firstChild;
    if (place !== was.node) table.body.insertBefore(was.node, place);
    before = was.node;
    known.set(row.n, was);
  }
  for (const [n, was] of table.known) if (!known.has(n)) was.node.remove();
  table.known = known;
  empty(table, data.empty);
}

function fill(table, was, row, said) {
  const focused = was.node.contains(was.node.getRootNode().activeElement);
  was.node.replaceChildren(...table.names.map((name) => cell(name, row)));
  was.node.dataset.state = row.state;
  was.said = said;
  if (focused) was.node.querySelector('a')?.focus();
}

function empty(table, text) {
  table.root.querySelector('.empty')?.remove();
  if (text) table.root.append(make('p', 'empty', text));
}

export default function (component) {
  const {data, parentElement} = component;
  const root = parentElement.querySelector('.rows');
  let table = tables.get(parentElement);
  if (!table || table.root !== root) {
    table = {root, known: new Map()};
    tables.set(parentElement, table);
  }
  draw(table, data);
}

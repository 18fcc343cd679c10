// The runs as a list. What people and models wrote becomes text nodes, never HTML.

const ICONS = {
  succeeded: 'M4 12.5l5 5L20 6.5',
  partial: 'M4 12.5l4 4L15 9M18 13v4M18 20v.3',
  running: 'M5 12h.5M12 12h.5M19 12h.5',
  failed: 'M6 6l12 12M18 6L6 18',
  stopped: 'M7 7h10v10H7z',
  interrupted: 'M9 5v14M15 5v14',
  star: 'M12 3.6l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9-4.3-4.1 5.9-.8z',
  edit: 'M4 20l1-4L16.5 4.5l3 3L8 19zM14.5 6.5l3 3',
  remove: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5',
  restore: 'M5 12a7 7 0 1 1 2.2 5.1M5 20v-4.5h4.5',
};
const lists = new WeakMap();

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
}

function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', ICONS[name] ?? ICONS.failed);
  svg.append(path);
  return svg;
}

function button(name, part, label, symbol, act) {
  const node = make('button', name);
  node.type = 'button';
  node.dataset.part = part;
  node.title = label;
  node.setAttribute('aria-label', label);
  if (symbol) node.append(icon(symbol));
  node.addEventListener('click', act);
  return node;
}

function ago(seconds) {
  const steps = [[60, 1, 'second'], [3600, 60, 'minute'], [86400, 3600, 'hour'], [86400 * 30, 86400, 'day'],
    [86400 * 365, 86400 * 30, 'month'], [Infinity, 86400 * 365, 'year']];
  if (seconds < 10) return 'just now';
  const [, unit, word] = steps.find(([most]) => seconds < most);
  const count = Math.floor(seconds / unit);
  return `${count} ${word}${count === 1 ? '' : 's'} ago`;
}

function act(list, row, what, more) {
  list.component.setTriggerValue('act', {do: what, id: row.id, ...more});
}

function head(list, row) {
  const box = make('div', 'head');
  const link = make('a', 'name');
  link.dataset.part = 'open';
  link.dir = 'auto';
  link.href = `./?run=${encodeURIComponent(row.id)}`;
  link.textContent = row.name;
  if (row.topic) link.title = row.topic;
  goes(link);
  box.append(link);
  if (row.topic) {
    const topic = make('div', 'topic', row.topic);
    topic.dir = 'auto';
    box.append(topic);
  }
  return box;
}

function goes(link) {
  link.addEventListener('click', (event) => {
    // Another tab or window is the browser's business; here the session goes on.
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    // As if the person had gone there by the browser's own buttons, which Streamlit follows: one
    // step in its history, and no script run of this page on the way.
    history.pushState({}, '', link.href);
    dispatchEvent(new PopStateEvent('popstate', {state: {}}));
  });
}

function facts(list, row) {
  const box = make('div', 'facts');
  const line = make('div', '');
  const state = make('span', 'state');
  state.append(icon(row.state), make('span', '', row.word));
  const when = make('time', '', ago(list.now() - row.at));
  when.title = row.exact;
  if (Math.abs(row.at) < 8e12) when.dateTime = new Date(row.at * 1000).toISOString();
  list.times.push([when, row.at]);
  const models = make('span', 'models', row.models);
  models.title = row.allModels;
  models.dir = 'auto';
  const branches = make('span', row.failed ? 'broken' : '', row.branches);
  line.append(state, when, make('span', 'workflow', row.workflow), models, branches);
  if (row.imported) line.append(make('span', '', 'imported'));
  if (row.batch) line.append(batch(row));
  box.append(line);
  return box;
}

function batch(row) {
  const box = make('span', '');
  const link = make('a', 'batch', 'of a batch');
  link.dataset.part = 'batch';
  link.href = `./batch?id=${encodeURIComponent(row.batch)}`;
  link.setAttribute('aria-label', `Batch of ${row.name}`);
  goes(link);
  box.append(link);
  return box;
}

function figures(row) {
  const box = make('div', 'figures');
  box.append(make('strong', '', row.wall));
  if (row.instead) {
    const instead = make('span', '', row.instead);
    instead.title = "The calls' own times added up. Calls that share a machine slow each other down, which flatters.";
    box.append(instead);
  }
  box.append(make('span', 'cost', row.cost));
  return box;
}

function found(row) {
  const box = make('p', 'excerpt');
  box.dir = 'auto';
  for (const [text, hit] of row.excerpt) box.append(hit ? make('mark', '', text) : text);
  return box;
}

function notes(row) {
  const box = make('p', 'notes', row.notes);
  box.dir = 'auto';
  return box;
}

function tags(list, row) {
  const box = make('div', 'tags');
  row.tags.forEach((tag, number) => {
    const chip = button('tag', `tag-${number}`, `Show runs tagged ${tag}`, '', () => act(list, row, 'tag', {tag}));
    chip.textContent = tag;
    chip.dir = 'auto';
    box.append(chip);
  });
  return box;
}

function doing(list, row) {
  const box = make('div', 'doing');
  if (list.deleted) {
    box.append(button('act', 'restore', `Restore ${row.name}`, 'restore', () => act(list, row, 'restore')));
    return box;
  }
  box.append(
    button('act', 'edit', `Title, tags and notes of ${row.name}`, 'edit', () => act(list, row, 'edit')),
    button('act', 'remove', `Delete ${row.name}`, 'remove', () => act(list, row, 'delete')),
  );
  return box;
}

function marks(list, row) {
  const box = make('div', 'marks');
  const tick = make('input', '');
  tick.type = 'checkbox';
  tick.dataset.part = 'tick';
  tick.checked = list.chosen.has(row.id);
  tick.setAttribute('aria-label', `Select ${row.name}`);
  tick.addEventListener('change', () => {
    list.chosen[tick.checked ? 'add' : 'delete'](row.id);
    tick.closest('li').classList.toggle('chosen', tick.checked);
    list.component.setStateValue('chosen', [...list.chosen]);
  });
  const hit = make('label', 'hit');
  hit.append(tick);
  box.append(hit);
  if (list.deleted) return box;
  const star = button('act star', 'star', `Favourite: ${row.name}`, 'star', () => {
    const on = star.getAttribute('aria-pressed') !== 'true';
    star.setAttribute('aria-pressed', on);
    act(list, row, 'star', {on});
  });
  star.setAttribute('aria-pressed', row.favourite);
  box.append(star);
  return box;
}

function draw(list, data) {
  const focused = list.root.getRootNode().activeElement;
  const part = focused?.dataset?.part;
  const run = focused?.closest?.('li')?.dataset.id;
  list.times = [];
  const ul = make('ul', '');
  ul.setAttribute('aria-label', data.deleted ? 'Deleted runs' : 'Runs');
  for (const row of data.rows) {
    const item = make('li', list.chosen.has(row.id) ? 'chosen' : '');
    item.dataset.id = row.id;
    item.dataset.state = row.state;
    const main = make('div', 'main');
    main.append(head(list, row), facts(list, row));
    if (row.excerpt.length) main.append(found(row));
    if (row.notes) main.append(notes(row));
    if (row.tags.length) main.append(tags(list, row));
    item.append(marks(list, row), main, figures(row), doing(list, row));
    ul.append(item);
  }
  list.root.replaceChildren(ul);
  if (part && run) ul.querySelector(`li[data-id="${CSS.escape(run)}"] [data-part="${part}"]`)?.focus();
}

export default function (component) {
  const {data, parentElement} = component;
  const root = parentElement.querySelector('.history');
  let list = lists.get(parentElement);
  if (!list || list.root !== root) {
    list = {root, times: [], drawn: '', now: () => Date.now() / 1000};
    lists.set(parentElement, list);
  }
  list.component = component;
  list.deleted = data.deleted;
  list.chosen = new Set(data.chosen);
  const drawn = JSON.stringify(data);
  if (drawn !== list.drawn || !root.firstChild) {
    list.drawn = drawn;
    draw(list, data);
  }
  clearInterval(list.clock);
  list.clock = setInterval(() => {
    for (const [node, at] of list.times) node.textContent = ago(list.now() - at);
  }, 30_000);
  return () => clearInterval(list.clock);
}

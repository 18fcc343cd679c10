// What a report can do beyond being read: light up sources, replay, present, and unfold for paper.

const all = (selector) => [...document.querySelectorAll(selector)];
const byId = (id) => document.getElementById(id);
let lit = null;
let pinned = false;

function light(id) {
  dim();
  lit = id;
  for (const node of all(`.told[data-s="${id}"], .quoted[data-of~="${id}"]`)) node.classList.add('lit');
  const panel = panelOf(id);
  const quotes = document.querySelector(`[data-quotes="${id}"]`);
  if (!panel || !quotes) return;
  panel.replaceChildren(...quotes.cloneNode(true).childNodes);
  panel.classList.add('full');
}

function dim() {
  if (!lit) return;
  for (const node of all('.lit')) node.classList.remove('lit');
  const panel = panelOf(lit);
  panel?.replaceChildren(...hints.get(panel).map((node) => node.cloneNode(true)));
  panel?.classList.remove('full');
  lit = null;
  pinned = false;
}

const panelOf = (id) => byId(id)?.closest('.card')?.querySelector('[data-panel]');
const hints = new Map(all('[data-panel]').map((panel) => [panel, [...panel.childNodes]]));
const sentenceAt = (node) => node.closest?.('.answer [data-s]')?.dataset.s;

function watchSources() {
  for (const panel of hints.keys()) panel.hidden = false;
  document.addEventListener('mouseover', (event) => {
    const id = sentenceAt(event.target);
    if (pinned || id === lit) return;
    if (id) light(id);
    else if (!event.target.closest?.('[data-panel]')) dim();
  });
  document.addEventListener('focusin', (event) => {
    const id = sentenceAt(event.target);
    if (id && id !== lit) light(id);
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('a')) return;
    const id = sentenceAt(event.target);
    if (!id) {
      if (!event.target.closest('[data-panel]')) dim();
    } else if (pinned && id === lit) dim();
    else if (!String(getSelection()).trim()) {
      light(id);
      pinned = true;
    }
  });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') dim(); });
}

// Browsers that can't unfold by style alone.
function watchPaper() {
  let opened = [];
  addEventListener('beforeprint', () => {
    dim();
    opened = all('details.printed:not([open])');
    for (const node of opened) node.open = true;
  });
  addEventListener('afterprint', () => { for (const node of opened) node.open = false; });
}

const recorded = () => JSON.parse(byId('replay-data').textContent);

function openReplay() {
  const dialog = byId('replay');
  const data = recorded();
  Object.assign(data.replay, {ended: false, autoplay: true});
  const mounted = mountBoard(byId('stage'), data);
  dialog.addEventListener('close', () => mounted.close(), {once: true});
  dialog.showModal();
}

document.documentElement.classList.add('js');
watchSources();
watchPaper();
if (byId('replay-data')) {
  const buttons = [['open-replay', window.mountBoard, openReplay], ['open-present', window.presentBoard, () => presentBoard(recorded())]];
  for (const [id, able, open] of buttons) {
    byId(id).hidden = !able;
    byId(id).addEventListener('click', open);
  }
  byId('close-replay').addEventListener('click', () => byId('replay').close());
}

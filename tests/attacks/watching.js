// Before any script of the page: an alarm on whatever an attack would call, and two inspections.
(() => {
  const alarms = [];
  const cry = (what) => { alarms.push(String(what).slice(0, 200)); };
  Object.defineProperty(window, '__alarms', { get: () => alarms });
  Object.defineProperty(window, 'hurt', {
    get: () => (...given) => cry(`hurt() ${given}`),
    set: () => cry('hurt ='),
  });
  for (const name of ['alert', 'confirm', 'prompt', 'open', 'print']) {
    window[name] = (...given) => { cry(`${name} ${given}`); return null; };
  }
  addEventListener('securitypolicyviolation', (event) => {
    cry(`policy: ${event.violatedDirective} ${event.blockedURI}`);
  });
  let poking = false;
  addEventListener('click', (event) => {
    const link = event.composedPath().find((node) => node.localName === 'a');
    if (link && poking) event.preventDefault();
  }, true);

  const STRANGE = /evil|hurt|javascript:/i;
  const LOADING = new Set(['src', 'srcset', 'action', 'formaction', 'poster', 'background', 'data',
    'ping', 'xlink:href', 'style', 'manifest', 'srcdoc', 'http-equiv', 'is', 'imagesrcset']);
  const NEVER = new Set(['form', 'iframe', 'frame', 'object', 'embed', 'applet', 'portal', 'base',
    'audio', 'video', 'track', 'marquee', 'math', 'mglyph', 'area', 'map', 'animate', 'set',
    'foreignobject', 'feimage']);
  // Streamlit draws forms and formulas itself; a stranger's name an address or sit in no element.
  const OURS = '[data-testid], .katex';

  const everything = (root, found = []) => {
    for (const node of root.querySelectorAll('*')) {
      found.push(node);
      if (node.shadowRoot) everything(node.shadowRoot, found);
    }
    return found;
  };

  const link = (node, cry) => {
    const said = node.getAttribute('href') ?? node.getAttribute('xlink:href');
    if (said === null) return;
    const address = node.href.baseVal ?? node.href;
    // An address that is none leads nowhere.
    if (!URL.canParse(address, location.href)) return;
    const url = new URL(address, location.href);
    const safe = ['http:', 'https:', 'mailto:', location.protocol].includes(url.protocol);
    if (!safe && !(url.protocol === 'blob:' && node.download)) cry('scheme');
    if (url.origin === location.origin || url.protocol === 'file:') return;
    if (!/noopener/.test(node.rel) || !/noreferrer/.test(node.rel)) cry('rel');
    if (node.target !== '_blank') cry('target');
  };

  window.__look = () => {
    const bad = [];
    for (const node of everything(document)) {
      const name = node.localName.toLowerCase();
      const cry = (why) => bad.push(`${why}: ${node.cloneNode(false).outerHTML?.slice(0, 300)}`);
      if (NEVER.has(name) && (STRANGE.test(node.outerHTML) || !node.closest(OURS))) cry('tag');
      if (node.dataset?.testid === 'stException') bad.push(`broke: ${node.innerText.slice(0, 300)}`);
      if (name === 'script' && STRANGE.test(node.src)) cry('script');
      if (name === 'link' && STRANGE.test(node.href)) cry('link');
      if (name === 'meta' && STRANGE.test(node.content)) cry('meta');
      for (const { name: key, value } of node.attributes) {
        if (/^on/i.test(key)) cry('handler');
        if (LOADING.has(key.toLowerCase()) && STRANGE.test(value)) cry('loads');
        if (key === 'href' && name !== 'a' && STRANGE.test(value)) cry('loads');
      }
      if (name === 'a') link(node, cry);
    }
    return bad;
  };

  const ROOMS = '.text, .fanout-text, [data-testid="stMarkdownContainer"], .told, td, th, li, text';
  const CONTROLS = 'button, label, [role=tab], summary, nav, [data-testid="stPageLink"]';
  const OVER = ['pointerover', 'mouseover', 'mouseenter', 'focusin', 'mousedown'];

  window.__poke = () => {
    poking = true;
    const found = new Set();
    for (const room of everything(document).filter((node) => node.matches(ROOMS))) {
      for (const node of [room, ...room.querySelectorAll('*')]) found.add(node);
    }
    const kind = { bubbles: true, composed: true, cancelable: true };
    for (const node of found) {
      if (node.closest(CONTROLS) || node.closest('a')?.origin === location.origin) continue;
      for (const name of OVER) node.dispatchEvent(new MouseEvent(name, kind));
      node.dispatchEvent(new MouseEvent('click', kind));
    }
    poking = false;
    return found.size;
  };
})();

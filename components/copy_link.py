"""A button that copies the address of a run, or of another thing that has one."""

from __future__ import annotations

import streamlit as st

_HTML = """<button type="button" class="copy"><span class="icon" aria-hidden="true">
<svg viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" stroke-width="2"
 stroke-linecap="round"><path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1"/>
<path d="M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1"/></svg></span>
<span class="word" aria-live="polite">Copy link</span></button>"""
_STYLE = """
.copy { display: inline-flex; gap: .45rem; align-items: center; min-height: 2.5rem;
  font: inherit; font-size: .875rem;
  color: var(--st-text-color); background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, 10px);
  padding: 0 .75rem; white-space: nowrap; }
.copy:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.copy:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.icon { display: inline-flex; }
"""
_SCRIPT = """
export default function ({parentElement, data}) {
  const button = parentElement.querySelector('.copy');
  const word = parentElement.querySelector('.word');
  let after = 0;
  const say = (text) => {
    word.textContent = text;
    clearTimeout(after);
    after = setTimeout(() => { word.textContent = 'Copy link'; }, data.note ? 4000 : 1800);
  };
  button.onclick = async () => {
    const root = location.origin + location.pathname.replace(/[^/]*$/, '');
    const url = `${root}${data.page}?${data.name}=${encodeURIComponent(data.run)}`;
    const done = data.note ? `Link copied: ${data.note}` : 'Link copied';
    say(await copied(url, parentElement) ? done : url);
  };
  return () => clearTimeout(after);
}

// Pages served over plain http to other machines have no clipboard API.
async function copied(text, root) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.style.cssText = 'position:fixed;opacity:0';
    root.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
"""
_mount = st.components.v2.component("fanout_copy_link", html=_HTML, css=_STYLE, js=_SCRIPT)


def copy_link(run_id: str, *, key: str, note: str = "", page: str = "", name: str = "run") -> None:
    """Draw it. Where a browser allows no copying, the button shows the address instead; `note` is
    said after copying. `page` and `name` are for an address other than a run's."""
    data = {"run": run_id, "note": note, "page": page, "name": name}
    _mount(key=key, data=data, width="content")

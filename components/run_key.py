"""Ctrl+Enter or Cmd+Enter anywhere on the page presses Run.

A Streamlit button can have a shortcut of its own, but then the keys become part of its name, and
people who listen to a screen, or write tests, look for a button called "Run".
"""

from __future__ import annotations

import streamlit as st

_SCRIPT = """
export default function ({data}) {
  const press = (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.repeat) return;
    // The topic field takes the same keys to hand its text over; that has to happen first.
    setTimeout(() => document.querySelector(data.button)?.click(), 60);
  };
  document.addEventListener('keydown', press);
  return () => document.removeEventListener('keydown', press);
}
"""
_mount = st.components.v2.component("fanout_run_key", html="<span\n hidden></span>", js=_SCRIPT)


def run_key(button_key: str) -> None:
    """Let the keys press the button of that Streamlit key."""
    _mount(key="run_key", data={"button": f".st-key-{button_key} button"}, height=1, width=1)

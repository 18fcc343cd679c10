"""What was there before a Retry or Resume: kept, with why it was asked again."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.render.form_text import form_text
from fanout.render.sanitise import clean_text
from fanout.render.words import metric_line, state_word
from fanout.snapshot import Branch, Snapshot


def earlier_goes(snapshot: Snapshot) -> None:
    """Draw it after a run; nothing where every call was asked once."""
    goes = [(call, go) for call in snapshot.calls for go in call.earlier]
    if not goes:
        return
    count = "1 earlier go" if len(goes) == 1 else f"{len(goes)} earlier goes"
    # Opened by the browser alone, like the raw answers.
    with st.expander(f"{count}, kept", icon=":material/history:", key="earlier_goes"):
        for call, go in goes:
            st.markdown(f"**{label(call.title)}** · {state_word(go.state)}")
            st.caption(label(metric_line(go, snapshot.at), 200))
            if go.failure is not None:
                st.markdown(label(go.failure.message, 600))
            if go.text.strip():
                st.code(clean_text(_text(go)), language=None, wrap_lines=True)


def _text(go: Branch) -> str:
    return go.text if go.plan.form is None else form_text(go.plan.form, go.text)

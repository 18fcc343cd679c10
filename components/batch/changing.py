"""A batch's settings while it is there: its title, its pace and what it may spend."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from components.batch.pace import budget_fields, pace_fields
from components.batch.said import say, tried
from fanout.batches import Batch
from fanout.engine.runtime import Runtime
from fanout.policies import Budget

LONGEST = 120


def change_fields(runtime: Runtime, batch: Batch) -> None:
    """Draw them as a form; they hold from the moment they are saved."""
    form = f"change-{batch.id}-{batch.changed}"
    with st.form(key=form, border=False):
        st.text_input("Title", batch.title, key=f"{form}-title", max_chars=LONGEST)
        pace_fields(form, batch.concurrency, batch.rows_per_minute)
        usd = None if batch.budget.usd is None else float(batch.budget.usd)
        budget_fields(form, usd, batch.budget.tokens)
        st.form_submit_button(
            "Save",
            key=f"{form}-save",
            icon=":material/check:",
            on_click=_save,
            args=(runtime, batch, form),
        )


def _save(runtime: Runtime, batch: Batch, form: str) -> None:
    state = st.session_state
    usd = state[f"{form}-usd"]
    budget = Budget(usd=None if usd is None else Decimal(str(usd)), tokens=state[f"{form}-tokens"])
    saved = tried(
        lambda: runtime.store.batches.change(
            batch.id,
            title=" ".join((state[f"{form}-title"] or "").split()) or batch.title,
            concurrency=state[f"{form}-concurrency"],
            rows_per_minute=state[f"{form}-minute"] or 0,
            budget=budget,
        )
    )
    if saved:
        state["batch_more"] = False
        say("Saved. It holds from now on.")

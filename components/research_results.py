"""After a research run: what each strategy alone would have found, beside the fusion."""

from __future__ import annotations

import streamlit as st

from components.documents.reader import open_document, plain_passage
from components.found_passages import (
    Findings,
    findings,
    insight,
    passages_frame,
    strategies_frame,
    where,
    with_passages,
)
from components.palette import letter
from components.plain import cells, label
from components.research_chart import research_chart
from components.session import runtime
from fanout.engine.handle import RunHandle
from fanout.errors import FanoutError
from fanout.retrieval.library import Library
from fanout.retrieval.passages import Fused
from fanout.snapshot import Aggregate

CHART_ONLY = {"displayModeBar": False}
AROUND = 900
"""Characters of the document that are shown before and after a passage."""


def research_results(handle: RunHandle) -> None:
    """Draw it where branches searched documents, nothing elsewhere."""
    snapshot = handle.snapshot
    if not any(branch.queries for branch in snapshot.branches):
        return
    st.subheader("What was found", anchor=False)
    found = findings(snapshot, _chosen(handle), handle.workflow)
    sentence = insight(found)
    if sentence:
        st.markdown(f"**{label(sentence, 300)}**")
    if found.left_out:
        names = ", ".join(label(title, 40) for title in found.left_out)
        st.caption(f"Left out of this answer, and of what follows: {names}.")
    if not found.strategies:
        return
    if found.cited:
        _cited(found)
    st.dataframe(
        cells(strategies_frame(found)),
        key="research_strategies",
        hide_index=True,
        column_config={"Searched for": st.column_config.TextColumn(width="large")},
        alt="What each strategy searched for, and how many passages it found",
    )
    _ranks(found)


def _chosen(handle: RunHandle) -> Aggregate | None:
    """The combined answer that is looked at: the only one, or the one picked."""
    made = {aggregate.id: aggregate for aggregate in with_passages(handle.snapshot)}
    if len(made) < 2:
        return next(iter(made.values()), None)
    key = f"research_of-{handle.id}"
    if st.session_state.get(key) not in made:
        st.session_state[key] = next(iter(made))
    picked = st.selectbox(
        "Combined answer",
        list(made),
        key=key,
        format_func=lambda id: label(made[id].heading, 120),
        persist_state="session",
    )
    return made[picked]


def _ranks(found: Findings) -> None:
    chart, table = st.columns(2, gap="medium")
    with chart:
        if found.cited:
            st.plotly_chart(
                research_chart(found, dark=st.context.theme.type == "dark"),
                key="research_chart",
                config=CHART_ONLY,
                alt="At which rank each strategy found each cited passage; "
                "the table beside it holds the same numbers",
            )
            legend = " · ".join(label(one.name, 40) for one in found.strategies)
            st.caption(f"{legend} · a number is the citation, a small dot a passage not cited")
        else:
            st.markdown("No passage was cited: no combined answer was written from them.")
    with table:
        st.dataframe(
            cells(passages_frame(found)),
            key="research_passages",
            hide_index=True,
            column_config={
                "Fused": st.column_config.NumberColumn(width=60),
                "Cited": st.column_config.TextColumn(width=60),
                **{
                    letter(one.column): st.column_config.TextColumn(
                        width=40, help=label(one.branch.title)
                    )
                    for one in found.strategies
                },
            },
            alt="Rank of each passage in the fused list and in each strategy; a dash: not found",
        )


def _cited(found: Findings) -> None:
    st.markdown("The passages behind the answer. Open one to read it in its document:")
    library = _library()
    here = {document.id for document in library.documents()} if library is not None else set()
    for number, one in enumerate(found.cited, 1):
        ways = f"found by {len(one.found_by)} of {len(found.strategies)}"
        title = f"\\[{number}\\] {label(where(one), 90)} · {ways}"
        with st.expander(title, key=f"passage-{number}-{one.passage.id}"):
            _passage(library, one, number, removed=one.passage.document not in here)


def _passage(library: Library | None, one: Fused, number: int, *, removed: bool) -> None:
    around = library.context(one.passage.id, AROUND) if library is not None else None
    if around is None:
        plain_passage("", one.passage.text, "")
        st.caption("The document is not here any more; this is the passage as it was found.")
        return
    plain_passage(*around)
    if removed:
        st.caption("This document was removed since; no new search finds it.")
    st.button(
        "Open the document",
        key=f"whole-{number}-{one.passage.id}",
        type="tertiary",
        icon=":material/menu_book:",
        on_click=open_document,
        args=(one.passage.document, one.passage.title),
    )


def _library() -> Library | None:
    """None where FANOUT_HOME can't be used: then the snapshot's own text is all there is."""
    try:
        return runtime().library
    except FanoutError:
        return None

"""Rows that are empty, repeated or too long: shown before the start, kept or left out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from components.batch import words
from components.batch.source import Source
from components.plain import cells, shortened
from fanout.batch.preparing import Prepared
from fanout.batches import Row

SHOWN = 100


def keeps_duplicates(source: Source) -> bool:
    """What was chosen, before it is drawn: the rows are prepared with it."""
    return bool(st.session_state.get(_key(source), False))


def doubtful(source: Source, prepared: Prepared) -> None:
    """Draw what there is of them; nothing where every row is as it should be."""
    groups = (
        ("repeated", prepared.duplicates),
        ("without a topic", prepared.empties),
        ("too long", prepared.too_long),
    )
    parts = [f"{words.count(len(rows), 'row')} {what}" for what, rows in groups if rows]
    if not parts:
        return
    with st.container(border=True, key="batch_doubtful"):
        st.markdown(f":material/rule: **{', '.join(parts)}**")
        if prepared.duplicates:
            st.toggle(
                "Keep repeated rows",
                key=_key(source),
                help="Rows that say the same as an earlier one, in the topic and in what fills "
                "variables. Kept, each of them is asked and paid for.",
            )
        left_out = [row for _, rows in groups for row in rows if row.skipped]
        shown = left_out or list(prepared.duplicates)
        with st.expander("Show them", key="batch_doubtful_rows"):
            _table(sorted(shown, key=lambda row: row.number)[:SHOWN])
            if len(shown) > SHOWN:
                st.caption(f"The first {SHOWN} of {len(shown):,}")


def _table(rows: Sequence[Row]) -> None:
    frame = pd.DataFrame(
        {
            "Row": [row.number for row in rows],
            "Line": [row.line for row in rows],
            "Topic": [shortened(row.topic, 160) for row in rows],
            "Left out because": [shortened(row.skipped, 160) or "kept" for row in rows],
        }
    )
    if frame["Line"].isna().all():
        frame = frame.drop(columns="Line")
    st.dataframe(
        cells(frame), key="batch_doubtful_table", hide_index=True, alt="Doubtful rows, as a table"
    )


def _key(source: Source) -> str:
    return f"batch_keep-{source.about}"

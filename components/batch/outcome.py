"""What came out of a batch: charts over its rows, each with its numbers beside it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.batch import words
from components.batch.charts import histogram, over_time, verdict_chart
from components.batch.spans import (
    bin_frame,
    bin_names,
    dollars,
    seconds,
    share,
    spread_frame,
    verdict_name,
)
from components.figure_row import figure_row
from components.history.words import long_text, zone
from components.plain import label
from fanout.batch.figures import Figures
from fanout.batch.results import figures
from fanout.batches import Batch, BatchState
from fanout.engine.runtime import Runtime
from fanout.render.words import usd_text

_KNOWN = "batch_figures"


def outcome(runtime: Runtime, batch: Batch) -> None:
    """Draw it once rows have ended: open when the batch has finished, on demand before."""
    ended = runtime.store.batches.progress(batch.id).ended
    if not ended:
        return
    finished = batch.state is BatchState.FINISHED
    with st.expander(
        "Results" if finished else "Results so far",
        icon=":material/bar_chart:",
        expanded=finished,
        key=f"batch_outcome-{batch.id}-{finished}",
        on_change="rerun",
    ) as area:
        if area.open:
            found = _figures(runtime, batch, ended)
            st.markdown(label(summary(found), 500))
            _charts(batch, found, dark=st.context.theme.type == "dark")


def summary(found: Figures) -> str:
    """ "170 of 180 rows answered · 9 min 12 s from the first row to the last · $0.42 in all"."""
    parts = [f"{found.answered:,} of {words.count(found.ended, 'row')} answered"]
    if found.elapsed_s:
        parts.append(
            f"{long_text(found.elapsed_s)} from the first row to the last, pauses included"
        )
    if found.sequential_s:
        parts.append(f"the calls' own times add up to {long_text(found.sequential_s)}")
    money = found.money
    if money.paid:
        parts.append(f"{usd_text(money.usd)} in all")
    elif money.free and found.answered:
        parts.append("free")
    if money.unknown:
        parts.append(f"cost of {words.count(money.unknown, 'row')} unknown")
    if found.again:
        parts.append(f"{words.count(found.again, 'row')} tried more than once")
    return " · ".join(parts)


def _figures(runtime: Runtime, batch: Batch, ended: int) -> Figures:
    """As they were when that many rows had ended: a click elsewhere need not count anew."""
    about = (batch.id, batch.changed, ended)
    known = st.session_state.get(_KNOWN)
    if known is None or known[0] != about:
        known = (about, figures(runtime.store.batches.points(batch.id)))
        st.session_state[_KNOWN] = known
    found: Figures = known[1]
    return found


def _charts(batch: Batch, found: Figures, *, dark: bool) -> None:
    if found.voted:
        st.markdown("**Verdicts**")
        figure_row(
            verdict_chart(found, dark=dark),
            _verdicts(found),
            key="batch_verdicts",
            alt="Rows per verdict",
        )
    if found.agreement is not None:
        st.markdown("**Agreement of the votes**")
        figure_row(
            histogram(
                found.agreement_bins,
                "share of the votes for the winner",
                bin_names(found.agreement_bins, share),
                colour=2,
                dark=dark,
            ),
            bin_frame(found.agreement_bins, "Share of the votes", share),
            key="batch_agreement",
            alt="Rows by how much their votes agreed",
        )
    _money(found, dark=dark)
    if found.wall is not None:
        st.markdown("**Time a row took**")
        figure_row(
            histogram(
                found.wall_bins,
                "seconds",
                bin_names(found.wall_bins, seconds),
                colour=0,
                dark=dark,
                spread=found.wall,
            ),
            spread_frame(found.wall, "Time", seconds),
            key="batch_wall",
            alt="Rows by the time they took",
        )
    if len(found.over_time) > 1:
        st.markdown("**Rows over time**")
        figure_row(
            over_time(found, zone(), dark=dark),
            _stretches(found),
            key="batch_over_time",
            alt="Rows that ended, over time",
        )


def _money(found: Figures, *, dark: bool) -> None:
    money = found.money
    if money.spread is None:
        return
    st.markdown("**Cost of a row**")
    figure_row(
        histogram(
            money.bins,
            "US dollars",
            bin_names(money.bins, dollars),
            colour=1,
            dark=dark,
            spread=money.spread,
        ),
        spread_frame(money.spread, "Cost", dollars),
        key="batch_cost",
        alt="Rows by what they cost",
        note=f"Rows whose cost is known and not nothing: {money.paid:,} of {found.ended:,}.",
    )


def _verdicts(found: Figures) -> pd.DataFrame:
    names = [verdict_name(one.verdict) for one in found.verdicts]
    counts = [one.count for one in found.verdicts]
    if found.other_verdicts:
        names.append("all others")
        counts.append(found.other_verdicts)
    shares = [share(count / found.voted) for count in counts]
    return pd.DataFrame({"Verdict": names, "Rows": counts, "Share": shares})


def _stretches(found: Figures) -> pd.DataFrame:
    times = [pd.Timestamp(one.at, unit="s", tz="UTC").tz_convert(zone()) for one in found.over_time]
    return pd.DataFrame(
        {
            "From": [f"{at:%Y-%m-%d %H:%M:%S}" for at in times],
            "Rows ended": [one.ended for one in found.over_time],
            "Failed": [one.failed for one in found.over_time],
        }
    )

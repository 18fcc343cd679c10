"""What differs in how the sides were set up: workflow, models, order of asking, prompts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import streamlit as st

from components.compare.marked import compared, difference_html, difference_words, plain_html
from components.compare.sides import Side, call_of
from components.compare.ways import how, models
from components.plain import cells, label
from fanout.snapshot import Branch

LONGEST_PROMPT = 6_000
"""Characters of a prompt that are shown: a topic may be a whole book."""
NONE = "–"


def setup(sides: Sequence[Side]) -> None:
    """Draw what differs as a table, what doesn't as a line, and the prompts below."""
    st.subheader("What was set up differently", anchor=False)
    facts = {one.number: facts_of(one) for one in sides}
    titles = list(dict.fromkeys(title for found in facts.values() for title in found))
    values = {title: [facts[one.number].get(title, NONE) for one in sides] for title in titles}
    differ = {title: row for title, row in values.items() if len(set(row)) > 1}
    if differ:
        columns = {one.name: [row[i] for row in differ.values()] for i, one in enumerate(sides)}
        st.dataframe(
            cells(pd.DataFrame({"Set up": list(differ), **columns})),
            key="compare_setup",
            hide_index=True,
            alt="What was set up differently, a column per side",
        )
    else:
        st.markdown("Nothing: they were set up alike.")
    same = [f"{title.lower()} ({row[0]})" for title, row in values.items() if title not in differ]
    if same:
        st.caption(f"The same: {label(', '.join(same), 500)}")
    with st.expander(
        "Prompts", icon=":material/chat:", key="compare_prompts", on_change="rerun"
    ) as it:
        if it.open:
            _prompts(sides)


def facts_of(one: Side) -> dict[str, str]:
    """How a side was set up, in words, by the name of the fact."""
    snapshot, call = one.snapshot, call_of(one.snapshot, one.call) if one.call else None
    calls = [call] if call is not None else list(snapshot.calls)
    facts = {
        "Topic": snapshot.topic if len(snapshot.topic) <= 200 else f"{snapshot.topic[:199]}…",
        "Workflow": snapshot.title,
        "How it was asked": how(snapshot),
        "Model": models(calls, snapshot),
        "Temperature": _listed(_number(c.plan.temperature) for c in calls),
        "Length limit": _listed(_number(c.plan.max_tokens) for c in calls),
    }
    if call is None:
        facts["Branches"] = ", ".join(branch.title for branch in snapshot.branches)
        facts["Combined by"] = snapshot.aggregate_kind or "nothing to combine"
    made = snapshot.made_with
    if made is not None and made.versions.get("fanout"):
        facts["Fanout"] = made.versions["fanout"]
    return facts


def _prompts(sides: Sequence[Side]) -> None:
    """Each side's prompts against the first's, matched by id or title."""
    first, *others = sides
    drawn = False
    for other in others:
        for call in _calls(other):
            before = _match(call, first, alone=bool(first.call and other.call))
            if before is None or _prompt(before) != _prompt(call):
                drawn = True
                _prompt_pair(call, before, first, other)
    if not drawn:
        st.markdown("Every prompt is the same, word for word.")
    missing = [c.title for c in _calls(first) if all(_match(c, o) is None for o in others)]
    if missing and not first.call:
        st.caption(f"Asked in {label(first.name)} only: {label(', '.join(missing), 300)}")


def _prompt_pair(call: Branch, before: Branch | None, first: Side, other: Side) -> None:
    title = f"{call.title} in {other.name}"
    if before is None:
        st.markdown(f"**{label(call.title)}** · {label(other.name)} only")
        st.html(plain_html(_prompt(call), title))
        return
    found = compared(_prompt(before), _prompt(call))
    st.markdown(
        f"**{label(call.title)}** · {label(other.name)} against {label(first.name)} · "
        f"{difference_words(found)}"
    )
    st.html(difference_html(found, f"Prompt of {title}"))


def _calls(one: Side) -> list[Branch]:
    """The calls whose prompts are a set-up, not made of other calls' texts."""
    if one.call:
        found = call_of(one.snapshot, one.call)
        return [found] if found else []
    return [branch for branch in one.snapshot.branches if branch.plan.messages]


def _match(call: Branch, one: Side, *, alone: bool = False) -> Branch | None:
    calls = _calls(one)
    if alone:
        return calls[0] if calls else None
    by_id = next((other for other in calls if other.id == call.id), None)
    titled = (other for other in calls if other.title.casefold() == call.title.casefold())
    return by_id or next(titled, None)


def _prompt(call: Branch) -> str:
    text = "\n\n".join(message.content for message in call.plan.messages)
    return text if len(text) <= LONGEST_PROMPT else f"{text[:LONGEST_PROMPT]} …"


def _number(value: float | None) -> str:
    return "the model's own" if value is None else f"{value:g}"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))

"""What a research run found: each strategy's queries, and at which rank it found each passage."""

from __future__ import annotations

from fanout.export.html.calls import Call, branch_calls
from fanout.export.html.markup import Markup, bdi, between, el
from fanout.export.html.parts import section, table
from fanout.retrieval.fusion import K, fuse
from fanout.retrieval.passages import Fused
from fanout.snapshot import Aggregate, Snapshot

DASH = "–"


def found(snapshot: Snapshot) -> Markup | None:
    """None where no branch searched documents."""
    searched = [call for call in branch_calls(snapshot) if call.branch.queries]
    if not searched:
        return None
    made = next((one.shown for one in snapshot.aggregates if one.shown.passages), None)
    used = [call for call in searched if made is None or call.branch.id in made.used]
    left_out = [bdi(call.title) for call in searched if call not in used]
    return section(
        "found",
        "What was found",
        el("p", "Left out of the answer: ", between(", ", left_out)) if left_out else None,
        _strategies(used, made),
        el("h3", "Every passage, and who found it at which rank"),
        _ranks(used, made, _k(snapshot)),
    )


def _strategies(used: list[Call], made: Aggregate | None) -> Markup:
    cited = made.passages if made else ()
    rows = (
        (
            call.label,
            between(" · ", map(bdi, call.branch.queries)),
            str(len(call.branch.hits)),
            str(sum(call.branch.id in one.found_by for one in cited)) if cited else "",
        )
        for call in used
    )
    heads = ("Strategy", "Searched for", "Found", f"Of the {len(cited)} cited")
    return table(heads, rows, label="What each strategy searched for", numbers=(2, 3))


def _ranks(used: list[Call], made: Aggregate | None, k: int) -> Markup:
    cited = made.passages if made else ()
    known = {one.passage.id for one in cited}
    # A run that was edited by hand may claim any rank.
    ranked = {str(c.branch.id): [hit for hit in c.branch.hits if hit.rank > 0] for c in used}
    fused = fuse(ranked, k)
    others = tuple(one for one in fused if one.passage.id not in known)
    rows = (
        (
            str(number),
            f"[{number}]" if number <= len(cited) else DASH,
            *(str(one.found_by.get(call.branch.id, DASH)) for call in used),
            _where(one),
            bdi(" ".join(one.passage.text[:160].split())),
        )
        for number, one in enumerate((*cited, *others), 1)
    )
    heads = ("Fused", "Cited", *(call.mark for call in used), "Passage", "Begins")
    return table(heads, rows, label="Rank of each passage in each strategy; a dash: not found")


def _where(one: Fused) -> Markup:
    passage = one.passage
    place = passage.place or f"passage {passage.ordinal}"
    return el("span", bdi(passage.title), ", ", bdi(place))


def _k(snapshot: Snapshot) -> int:
    """The constant that this run's rankings were fused with."""
    definition = snapshot.made_with.definition if snapshot.made_with else {}
    k = definition.get("rrf_k")
    return k if isinstance(k, int) and not isinstance(k, bool) and k > 0 else K

"""The count of a poll: a row for each answer, a block in it for each voter."""

from __future__ import annotations

from collections.abc import Sequence

from fanout.export.html.cast import Cast, Voter
from fanout.export.html.markup import Markup, bdi, between, el
from fanout.export.html.parts import table
from fanout.voting.tally import Tally

ABSTAINED, NOT_NEEDED, MISSING = "abstained", "not needed", "did not vote"
"""Where those stand who don't count."""


def groups(cast: Cast, result: Tally) -> dict[tuple[str, bool], list[Voter]]:
    """Each answer with its voters, the most votes first; then those whose votes don't count.

    The second of a key tells whether it is an answer, which may be called as the others are.
    """
    order = sorted(result.counts, key=lambda option: -result.counts[option])
    found: dict[tuple[str, bool], list[Voter]] = {(option, True): [] for option in order}
    for voter in cast.voters:
        found.setdefault(_group(voter), []).append(voter)
    return found


def tally_chart(cast: Cast, result: Tally) -> Markup:
    """Blocks in the voters' colours with their letters; those that don't count are hatched."""
    rows = groups(cast, result)
    most = max([1, *map(len, rows.values())])
    return el(
        "div",
        (_row(name, voters, result, most) for name, voters in rows.items()),
        class_="chart votes",
        role="group",
        aria_label="Votes for each answer, one block for each voter",
    )


def tally_table(cast: Cast, result: Tally) -> Markup:
    """A row per answer, with who gave it and how they wrote it."""
    total = sum(result.counts.values())
    rows = [
        (
            bdi(name),
            f"{result.counts[name]:g}" if counts else str(len(voters)),
            f"{result.counts[name] / total:.0%}" if counts and total else "",
            between(", ", (bdi(voter.call.name) for voter in voters)),
            between(", ", map(bdi, _written(name, voters))),
        )
        for (name, counts), voters in groups(cast, result).items()
    ]
    heads = ("Answer", "Votes", "Share", "Who", "Written as")
    return table(heads, rows, label="Votes as a table", numbers=(1, 2))


def _row(key: tuple[str, bool], voters: Sequence[Voter], result: Tally, most: int) -> Markup:
    name, counts = key
    width = 100 / max(most, 4)
    blocks = []
    for i, voter in enumerate(voters):
        look = "writing" if voter.valid else "idle"
        blocks.append(
            el(
                "g",
                el(
                    "rect",
                    x=f"{i * width + 0.25:.3f}%",
                    width=f"{width - 0.5:.3f}%",
                    y="1",
                    height="22",
                    rx="4",
                    class_=look,
                ),
                el(
                    "text",
                    voter.mark,
                    x=f"{(i + 0.5) * width:.3f}%",
                    y="17",
                    text_anchor="middle",
                    class_="on" if voter.valid else "off",
                ),
                class_=voter.call.shade,
            )
        )
    who = ", ".join(voter.call.name for voter in voters) or "nobody"
    value = f"{result.counts[name]:g}" if counts else str(len(voters))
    return el(
        "div",
        el("span", bdi(name), class_="who"),
        el(
            "svg",
            el("title", name),
            el("desc", f"{value}: {who}"),
            blocks,
            class_="track",
            role="img",
            height="24",
        ),
        el("span", value, class_="value"),
        class_="row",
    )


def _group(voter: Voter) -> tuple[str, bool]:
    if voter.valid and voter.ballot is not None:
        return voter.ballot.choice or "", True
    if voter.not_needed:
        return NOT_NEEDED, False
    return (ABSTAINED if voter.ballot is not None else MISSING), False


def _written(name: str, voters: Sequence[Voter]) -> list[str]:
    """The ways in which an answer was written, where they differ from how it is counted."""
    said = dict.fromkeys(v.ballot.said.strip() for v in voters if v.ballot and v.valid)
    ways = [way for way in said if way]
    return ways if any(way.casefold() != name.casefold() for way in ways) else []

"""What computing the branches' common beginning once brought, as a practice."""

from __future__ import annotations

from fanout.insight.practice import NOTHING_TO_DO, Level, Practice, counted, seconds
from fanout.insight.prefix import PrefixSaving, saved
from fanout.snapshot import Snapshot


def shared_beginning_practices(snapshot: Snapshot) -> tuple[Practice, ...]:
    """One where a beginning was computed once; none where nothing was shared."""
    saving = saved(snapshot)
    if saving is None:
        return ()
    share = saving.cached / saving.input if saving.input else None
    level: Level = "good" if saving.cached else "watch" if saving.answered else "unknown"
    return (
        Practice(
            id="prefix",
            title="Shared beginning",
            value="–" if share is None else f"{share:.0%} from the cache",
            reading=_reading(saving),
            advice=NOTHING_TO_DO
            if level != "watch"
            else "It took time and brought nothing that is seen: switch it off for this workflow.",
            level=level,
            number=share,
        ),
    )


def _reading(saving: PrefixSaving) -> str:
    how = "one went ahead" if saving.by else "it was computed once and copied"
    told = (
        f"{counted(saving.branches, 'branch', 'branches')} begin alike (about "
        f"{saving.tokens:,} tokens), so {how}, in {seconds(saving.took_s)}"
    )
    if not saving.answered:
        return f"{told}."
    return f"{told}; of the others' {saving.input:,} input tokens {saving.cached:,} were cached."

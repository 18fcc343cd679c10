"""A run of three branches as a list of events, for pages that need no server."""

from __future__ import annotations

from fanout.events import (
    AggregatePlanned,
    AttemptFailed,
    AttemptStarted,
    BranchFinished,
    BranchQueued,
    BranchWrote,
    Event,
    RunFinished,
    RunStarted,
)
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    EndpointId,
    Failure,
    FailureKind,
    ModelRef,
    RunId,
    RunStatus,
    Usage,
)

NAMES = ("joke", "story", "poem")
MODEL = ModelRef(endpoint=EndpointId("e"), model="m")
EVIL = "</script><script>window.hurt = 1</script><!-- <img src=x onerror=window.hurt=1>"
SENTENCES = (
    "Rain over the {name} fell for forty days and nights.",
    "The town's people built **boats** out of doors and tables.",
    "Nobody in {name} street had ever seen so many umbrellas.",
    "At last the sun came out, and the {name} was finished.\n\n",
)
LIMITED = Failure(kind=FailureKind.RATE_LIMIT, message="The endpoint asked to wait.")


def recorded_run(
    names: tuple[str, ...] = NAMES,
    *,
    length_s: float = 12.0,
    words_per_s: float = 12.0,
    setback: bool = True,
) -> tuple[Event, ...]:
    """All branches write at once, the n-th a little longer; the second is put off once."""
    events: list[Event] = [
        RunStarted(
            at=0.0,
            run_id=RunId("r"),
            workflow="trio",
            title="Trio",
            topic=f"rain {EVIL}",
            branches=tuple(_plan(name) for name in names),
            started_at=1_700_000_000.0,
            aggregate_kind="synthesis",
        )
    ]
    ends = [length_s * (0.5 + 0.3 * (i + 1) / len(names)) for i in range(len(names))]
    for i, (name, end) in enumerate(zip(names, ends, strict=True)):
        branch = BranchId(name)
        events.append(BranchQueued(at=0.0, id=branch))
        events.append(AttemptStarted(at=0.05, id=branch, attempt=1))
        begin = 0.5
        if setback and i == 1:
            begin = 2.5
            events.append(
                AttemptFailed(at=0.5, id=branch, failure=LIMITED, retry_at=2, attempts_allowed=4)
            )
            events.append(AttemptStarted(at=2.0, id=branch, attempt=2))
        events += _written(branch, begin, end, words_per_s, f"{name} {EVIL}\n\n" if i == 0 else "")
        usage = Usage(input=20, output=int((end - begin) * words_per_s))
        events.append(BranchFinished(at=end, id=branch, state=BranchState.DONE, usage=usage))
    begin = ends[-1] + 0.1
    events.append(
        AggregatePlanned(
            at=begin,
            kind="synthesis",
            heading=f"Synthesis of {len(names)} of {len(names)}",
            used=tuple(BranchId(name) for name in names),
            plan=BranchPlan(id=AGGREGATE, title="Synthesis", model=MODEL, messages=()),
        )
    )
    events.append(AttemptStarted(at=begin, id=AGGREGATE, attempt=1))
    events += _written(AGGREGATE, begin + 0.4, length_s, words_per_s, "")
    events.append(
        BranchFinished(at=length_s, id=AGGREGATE, state=BranchState.DONE, usage=Usage(output=20))
    )
    events.append(RunFinished(at=length_s, status=RunStatus.SUCCEEDED))
    return tuple(sorted(events, key=lambda event: event.at))


def _plan(name: str) -> BranchPlan:
    return BranchPlan(id=BranchId(name), title=name.title(), model=MODEL, messages=())


def _written(
    branch: BranchId, begin: float, end: float, words_per_s: float, first: str
) -> list[Event]:
    name = "joke" if branch == AGGREGATE else branch
    words = [
        word for sentence in SENTENCES for word in f"{sentence.format(name=name)} ".split(" ")[:-1]
    ]
    count = max(1, int((end - begin) * words_per_s))
    texts = [first, *(f"{words[i % len(words)]} " for i in range(count))]
    return [
        BranchWrote(at=begin + i * (end - begin) / (count + 2), id=branch, text=text, pieces=1)
        for i, text in enumerate(texts)
        if text
    ]

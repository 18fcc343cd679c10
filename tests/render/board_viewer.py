"""A run of two branches, and a viewer that folds its frames as a browser does."""

from __future__ import annotations

import json

from fanout.events import (
    RunStarted,
)
from fanout.fold import apply, begin
from fanout.snapshot import Snapshot
from fanout.types import (
    BranchId,
    BranchPlan,
    EndpointId,
    Failure,
    FailureKind,
    ModelRef,
    RunId,
)

JOKE, POEM = BranchId("joke"), BranchId("poem")
MODEL = ModelRef(endpoint=EndpointId("e"), model="m")
LIMITED = Failure(kind=FailureKind.RATE_LIMIT, message="The endpoint asked to wait.")


def plan(name: BranchId, title: str) -> BranchPlan:
    return BranchPlan(id=name, title=title, model=MODEL, messages=())


def started(aggregate_kind: str | None = "synthesis") -> Snapshot:
    return begin(
        RunStarted(
            at=0.0,
            run_id=RunId("r"),
            workflow="trio",
            title="Trio",
            topic="rain",
            branches=(plan(JOKE, "Joke"), plan(POEM, "Poem")),
            started_at=0.0,
            aggregate_kind=aggregate_kind,
        )
    )


def folded(snapshot: Snapshot, *events) -> Snapshot:
    for event in events:
        snapshot = apply(snapshot, event)
    return snapshot


class Viewer:
    """What a browser does with frames, UTF-16 lengths included."""

    def __init__(self) -> None:
        self.tag: str | None = None
        self.run: dict = {}
        self.cols: dict[str, dict] = {}

    def take(self, frame) -> None:
        frame = json.loads(json.dumps(frame))
        if frame["base"] is None:
            self.cols = {}
        else:
            assert frame["base"] == self.tag or self.tag is None
        self.tag = frame["tag"]
        self.run = frame.get("run", self.run)
        for name, change in frame["cols"].items():
            column = self.cols.setdefault(name, {"closed": [], "open": "", "tokens": 0})
            column["face"] = change.get("face", column.get("face"))
            column["tokens"] = change.get("tokens", column["tokens"])
            if "text" in change:
                self._text(column, change["text"])

    def _text(self, column, diff) -> None:
        before = column["open"]
        column["closed"] = column["closed"][: diff["keep"]]
        for cut in diff["closed"]:
            column["closed"].append(spliced(before, cut))
            before = ""
        column["open"] = spliced(before, diff["open"])

    def html(self, name: str) -> str:
        column = self.cols[name]
        return "".join(column["closed"]) + column["open"]


def spliced(before: str, cut) -> str:
    keep, tail = cut
    return before.encode("utf-16-le")[: 2 * keep].decode("utf-16-le") + tail

"""The scribe: who ends is written down at once, and holds nobody else up."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from time import monotonic, sleep

from fanout.engine.scribe import Scribe
from fanout.events import BranchFinished, BranchQueued, BranchWrote, RunStarted
from fanout.kernel.recorder import Recorder
from fanout.store.store import Store
from fanout.store.values import Update
from fanout.types import BranchId, BranchPlan, BranchState, EndpointId, ModelRef, RunId

MODEL = ModelRef(endpoint=EndpointId("here"), model="m")
NAMES = tuple(BranchId(f"b{i}") for i in range(4))


class Noted:
    """A store, and which runs were written together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.turns: list[set[str]] = []

    @property
    def edition(self) -> int:
        return self._store.edition

    def beat(self) -> None:
        self._store.beat()

    def write(self, updates: Sequence[Update]) -> None:
        self._store.write(updates)
        self.turns.append({update.snapshot.run_id for update in updates})


def begun(scribe: Scribe, name: str) -> Recorder:
    recorder = Recorder(scribe)
    plans = tuple(BranchPlan(id=id, title=id, model=MODEL, messages=()) for id in NAMES)
    recorder.emit(
        RunStarted(
            at=0.0,
            run_id=RunId(name),
            workflow="w",
            title="W",
            topic="t",
            branches=plans,
            started_at=1.0,
        )
    )
    return recorder


def until_settled(recorder: Recorder) -> None:
    limit = monotonic() + 20
    while not recorder.settled:
        assert monotonic() < limit, "it was not written down"
        sleep(0.005)


def test_an_end_is_written_at_once_and_without_the_words_of_other_runs() -> None:
    with Store.in_memory() as store:
        noted = Noted(store)
        scribe = Scribe(noted)  # type: ignore[arg-type]
        ending, writing = begun(scribe, "ending"), begun(scribe, "writing")
        assert scribe.flush(20)
        noted.turns.clear()
        over = threading.Event()

        def write() -> None:
            while not over.wait(0.002):
                writing.emit(BranchWrote(at=1.0, id=NAMES[0], text="word ", pieces=1))

        writer = threading.Thread(target=write)
        writer.start()
        for name in NAMES:
            ending.emit(BranchQueued(at=1.0, id=name))
            ending.emit(BranchFinished(at=2.0, id=name, state=BranchState.DONE))
            until_settled(ending)
        over.set()
        writer.join(20)
        assert {"ending"} in noted.turns
        # The words come with the next second, or when somebody asks.
        until_settled(writing)
        assert scribe.flush(20)
        scribe.close()
        kept = store.load("writing")
        assert kept is not None
        assert kept.snapshot.branch(NAMES[0]).text == writing.snapshot.branch(NAMES[0]).text


def test_words_are_written_within_seconds_without_any_end() -> None:
    with Store.in_memory() as store:
        scribe = Scribe(store)
        recorder = begun(scribe, "r")
        recorder.emit(BranchWrote(at=1.0, id=NAMES[0], text="words", pieces=1))
        until_settled(recorder)
        scribe.close()
        kept = store.load("r")
        assert kept is not None
        assert kept.snapshot.branch(NAMES[0]).text == "words"

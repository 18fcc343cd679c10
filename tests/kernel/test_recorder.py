"""The recorder: what others may see is what is written down, and a reopened run goes on."""

from __future__ import annotations

import threading
from time import monotonic

from fanout.events import (
    BranchFinished,
    BranchQueued,
    BranchWrote,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.kernel.recorder import HOLD_S, Recorder
from fanout.types import (
    BranchId,
    BranchPlan,
    BranchState,
    EndpointId,
    ModelRef,
    RunId,
    RunStatus,
)

JOKE = BranchId("joke")
MODEL = ModelRef(endpoint=EndpointId("here"), model="m")


class Slow:
    """A journal that writes when it is told to."""

    def __init__(self) -> None:
        self.urgent = 0
        self.told: list[Recorder] = []

    def news(self, recorder: Recorder, *, urgent: bool) -> None:
        self.told.append(recorder)
        self.urgent += urgent


def begun(journal: Slow | None = None) -> Recorder:
    recorder = Recorder(journal)
    plan = BranchPlan(id=JOKE, title="Joke", model=MODEL, messages=())
    recorder.emit(
        RunStarted(
            at=0.0,
            run_id=RunId("r"),
            workflow="w",
            title="W",
            topic="t",
            branches=(plan,),
            started_at=1.0,
        )
    )
    recorder.emit(BranchQueued(at=0.1, id=JOKE))
    return recorder


def end(at: float) -> BranchFinished:
    return BranchFinished(at=at, id=JOKE, state=BranchState.DONE)


def test_an_end_is_shown_only_once_it_is_written_down() -> None:
    journal = Slow()
    recorder = begun(journal)
    recorder.emit(BranchWrote(at=0.2, id=JOKE, text="a", pieces=1))
    recorder.emit(end(0.3))
    assert recorder.snapshot.branch(JOKE).state is BranchState.DONE
    assert recorder.shown.branch(JOKE).text == "a"
    assert not recorder.shown.branch(JOKE).state.finished
    counts = [len(recorder.events)]
    recorder.written(4)
    assert recorder.shown is recorder.snapshot
    assert [*counts, len(recorder.events)] == [3, 4]
    assert journal.urgent == 1 + 1, "the run's beginning, and the end"


def test_what_follows_an_end_is_held_back_with_it_in_order() -> None:
    recorder = begun(Slow())
    recorder.emit(end(0.3))
    recorder.emit(RunFinished(at=0.4, status=RunStatus.SUCCEEDED))
    recorder.written(3)
    assert recorder.shown.branch(JOKE).state is BranchState.DONE
    statuses = [recorder.shown.status]
    recorder.written(4)
    statuses.append(recorder.shown.status)
    assert statuses == [RunStatus.RUNNING, RunStatus.SUCCEEDED]


def test_a_journal_that_never_writes_holds_nothing_back_for_long() -> None:
    recorder = begun(Slow())
    began = monotonic()
    recorder.emit(end(0.3))
    recorder.emit(RunFinished(at=0.4, status=RunStatus.SUCCEEDED))
    assert recorder.wait(timeout_s=10).status.finished
    assert monotonic() - began >= HOLD_S * 0.9


def test_a_journal_in_trouble_holds_nothing_back() -> None:
    recorder = begun(Slow())
    recorder.hold_s = 0.0
    recorder.emit(end(0.3))
    assert recorder.shown.branch(JOKE).state is BranchState.DONE


def test_that_a_run_goes_on_is_written_down_at_once() -> None:
    journal = Slow()
    recorder = begun(journal)
    recorder.emit(RunFinished(at=0.4, status=RunStatus.INTERRUPTED))
    before = journal.urgent
    recorder.emit(RunResumed(at=0.5, branches=(JOKE,)))
    assert journal.urgent == before + 1


def test_whoever_follows_gets_every_event_when_it_is_written() -> None:
    recorder = begun(Slow())
    got: list[Event] = []
    reader = threading.Thread(target=lambda: got.extend(recorder.follow()))
    reader.start()
    recorder.emit(end(0.3))
    recorder.emit(RunFinished(at=0.4, status=RunStatus.SUCCEEDED))
    recorder.written(4)
    reader.join(10)
    assert not reader.is_alive()
    assert [type(event) for event in got] == [RunStarted, BranchQueued, BranchFinished, RunFinished]


def test_a_reopened_run_goes_on_from_its_last_event() -> None:
    past = begun()
    past.emit(end(7.0))
    past.emit(RunFinished(at=7.5, status=RunStatus.INTERRUPTED))
    again = Recorder.reopened(past.events, filed=9)
    assert again.shown == past.snapshot
    assert again.started_at == 1.0
    assert 7.5 <= again.now_s() < 8.5
    assert again.unwritten() == (again.snapshot, ())
    assert again.filed == 9


def test_words_that_nobody_looked_at_are_there_when_somebody_does() -> None:
    recorder = begun()
    for text in ("one ", "two ", "three"):
        recorder.emit(BranchWrote(at=0.2, id=JOKE, text=text, pieces=1))
    assert len(recorder.events) == 5
    snapshot = recorder.snapshot
    assert (snapshot.branch(JOKE).text, snapshot.branch(JOKE).pieces) == ("one two three", 3)
    assert snapshot.seq == 5
    assert recorder.snapshot is snapshot, "nothing new, nothing drawn"
    recorder.emit(BranchWrote(at=0.3, id=JOKE, text=", four", pieces=1))
    recorder.emit(end(0.4))
    assert recorder.snapshot.branch(JOKE).text == "one two three, four"
    assert snapshot.branch(JOKE).text == "one two three"


def test_what_is_shown_until_an_end_is_written_down_has_every_word_before_it() -> None:
    recorder = begun(Slow())
    recorder.emit(BranchWrote(at=0.2, id=JOKE, text="a", pieces=1))
    recorder.emit(BranchWrote(at=0.3, id=JOKE, text="b", pieces=1))
    recorder.emit(end(0.4))
    assert recorder.shown.branch(JOKE).text == "ab"
    assert not recorder.shown.branch(JOKE).state.finished


def test_readers_on_other_threads_see_every_word_once() -> None:
    recorder = begun()
    words = 3000
    seen: list[str] = []
    torn: list[str] = []
    done = threading.Event()

    def look() -> None:
        last = ""
        while not done.is_set():
            text = recorder.snapshot.branch(JOKE).text
            if not text.startswith(last):
                torn.append(text)
            last = text
        seen.append(recorder.snapshot.branch(JOKE).text)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(words):
        recorder.emit(BranchWrote(at=0.2, id=JOKE, text=f"{number} ", pieces=1))
    done.set()
    for reader in readers:
        reader.join(20)
    assert not torn
    assert seen == ["".join(f"{number} " for number in range(words))] * 3

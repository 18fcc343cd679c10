"""kill -9 at random moments: nothing that anybody saw end is lost, and all of it can go on."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.store.values import Question
from fanout.types import AGGREGATE, RunStatus
from tests.crash.promise import lost_s, succeeded
from tests.crash.victims import SCRIPT, WORDS, Job, Seen, victims
from tests.rig import Rig, rig

MOST_LOST_S = 2.0
LONGEST_S = 3.2
"""A victim's run takes two and a half seconds."""
BRANCHES = ("joke", "story", "poem")


class Survivor:
    """The app as it is started again: it looks at every run that was under way, and resumes it."""

    def __init__(self, store: Store, here: Rig) -> None:
        self.store = store
        self.here = here
        self.lost: list[float] = []

    def check(self, seen: Seen) -> None:
        """Whatever the victim had shown is in the record."""
        if not seen.run_id:
            return
        stored = self.store.load(seen.run_id)
        assert stored is not None, "a run that had started is gone"
        assert not stored.live and not stored.problem
        assert stored.snapshot.status in (RunStatus.INTERRUPTED, RunStatus.SUCCEEDED)
        self.lost.append(lost_s(seen, stored))

    def with_status(self, *statuses: RunStatus) -> list[str]:
        """The history's answer; all runs without a status named."""
        found = self.store.history.find(Question(statuses=statuses, limit=200))
        return [row.id for row in found.rows]

    def resume_all(self) -> None:
        """All at once; each asks what is missing and nothing else, and touches nothing else."""
        handles = [self.here.engine.get(run_id) for run_id in self.with_status()]
        runs = [(handle, handle.snapshot) for handle in handles if handle is not None]
        assert len(runs) == len(handles)
        for handle, before in runs:
            assert not handle.fixed
            assert handle.resume() is (before.status is RunStatus.INTERRUPTED)
        for handle, before in runs:
            self._check_resumed(before, handle.wait(timeout_s=60))
        assert self.with_status(RunStatus.INTERRUPTED) == []

    def _check_resumed(self, before: Snapshot, after: Snapshot) -> None:
        assert after.status is RunStatus.SUCCEEDED
        assert self._asked(before.topic) == _missing(before)
        assert succeeded(before).items() <= succeeded(after).items()
        assert {b.id: b.text for b in after.branches} == {b: WORDS[b] for b in BRANCHES}
        assert after.aggregate is not None
        assert after.aggregate.text == WORDS["combine"]

    def _asked(self, topic: str) -> Counter[str]:
        prompts = [r.messages[-1].content for r in self.here.provider.requests]
        mine = [prompt.split("\n")[0] for prompt in prompts if topic in prompt.split("\n")[0]]
        return Counter(
            AGGREGATE if prompt.startswith("Combine:") else prompt.split()[2] for prompt in mine
        )


def _missing(snapshot: Snapshot) -> Counter[str]:
    """What a resume has to ask: the branches without an answer, and the answer of them all."""
    if snapshot.status is RunStatus.SUCCEEDED:
        return Counter()
    return Counter([b.id for b in snapshot.branches if not b.state.succeeded] + [AGGREGATE])


@contextmanager
def started(home: Path, url: str = "") -> Iterator[Survivor]:
    """Begins with what the victims left."""
    with Store.open(home, url) as store, rig(SCRIPT, store=store, slots=64) as here:
        assert store.kept and store.problems == ()
        store.interrupt()
        yield Survivor(store, here)


def lives(dice: random.Random, count: int, most_s: float = LONGEST_S) -> list[float]:
    """Seconds from fork to kill, spread evenly and then shuffled by the seed."""
    moments = [(number + dice.random()) * most_s / count for number in range(count)]
    dice.shuffle(moments)
    return moments


def begin(home: Path, url: str, dice: random.Random, count: int) -> list[Seen]:
    jobs = [
        Job(home=str(home), url=url, topic=f"rain-{number:03}-", lives_s=lives_s)
        for number, lives_s in enumerate(lives(dice, count))
    ]
    return list(victims(jobs))


def resumed(home: Path, url: str, dice: random.Random, runs: Sequence[str]) -> list[Seen]:
    jobs = [
        Job(home=str(home), url=url, resume=run_id, lives_s=lives_s)
        for run_id, lives_s in zip(runs, lives(dice, len(runs)), strict=True)
    ]
    return list(victims(jobs))


def kill_and_go_on(home: Path, url: str, seed: int, begun: int, again: int) -> None:
    """So many new runs are killed, so many of them once more while they are resumed."""
    dice = random.Random(seed)
    first = begin(home, url, dice, begun)
    with started(home, url) as survivor:
        for seen in first:
            assert seen.run_id, "it did not start in time"
            survivor.check(seen)
        cut = survivor.with_status(RunStatus.INTERRUPTED)
    print(f"{begun} killed, {len(cut)} of them in mid-run")
    assert len(cut) >= again, "too few were killed in mid-run: the victims are too quick"
    second = resumed(home, url, dice, dice.sample(cut, again))
    with started(home, url) as after:
        for seen in second:
            after.check(seen)
        after.resume_all()
        lost = sorted(survivor.lost + after.lost)
    print(f"{again} killed again; text lost: {lost[len(lost) // 2]:.2f} s, worst {lost[-1]:.2f} s")
    assert lost[-1] <= MOST_LOST_S


def test_ninety_kills_cost_nothing_that_had_ended(fanout_home: Path) -> None:
    kill_and_go_on(fanout_home, "", seed=4, begun=60, again=30)


def test_ten_kills_on_postgresql_cost_nothing_that_had_ended(
    fanout_home: Path, postgres_url: str
) -> None:
    kill_and_go_on(fanout_home, postgres_url, seed=5, begun=7, again=3)


def test_what_ended_is_safe_at_the_moment_it_is_seen(fanout_home: Path) -> None:
    jobs = [
        Job(home=str(fanout_home), topic=f"snow-{number:03}-", lives_s=20, sees_ends=1 + number % 5)
        for number in range(15)
    ]
    died = list(victims(jobs))
    with started(fanout_home) as survivor:
        for seen in died:
            assert len(seen.ends) >= seen.job.sees_ends
            survivor.check(seen)
        survivor.resume_all()


def test_ten_kills_of_a_first_start_leave_a_record_that_opens(tmp_path: Path) -> None:
    dice = random.Random(6)
    jobs = [
        Job(home=str(tmp_path / f"home-{number}"), topic="rain-", lives_s=lives_s, starting=True)
        for number, lives_s in enumerate(lives(dice, 10, most_s=1.0))
    ]
    for seen in victims(jobs):
        with started(Path(seen.job.home)) as survivor:
            survivor.check(seen)
            survivor.resume_all()

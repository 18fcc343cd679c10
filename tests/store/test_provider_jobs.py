"""Requests and jobs of a provider's batch, as several processes see them, in both databases."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import select, update

from fanout.store.database import reading, writing
from fanout.store.provider_jobs import ProviderJobs
from fanout.store.provider_requests import UNTOLD_S
from fanout.store.provider_values import Job, JobState, Parked, Queue
from fanout.store.schema_batches import provider_requests
from fanout.store.store import Store
from fanout.types import EndpointId, RunStatus
from tests.store.shelf import Made

QUEUE = Queue(endpoint=EndpointId("e"), model="m")
AT = {Queue(endpoint=EndpointId("e"), model=""): "host"}
FOREVER_S = 3600.0


def asked(key: str, run: str = "r", body: str = '{"a": 1}', shape: str = "s") -> Parked:
    return Parked(key=key, run=run, call="c", queue=QUEUE, body=body, shape=shape)


def gathered(jobs: ProviderJobs, most: int = 100, most_bytes: int = 10_000) -> Job:
    job = jobs.gather(QUEUE, "host", most=most, most_bytes=most_bytes)
    assert job is not None
    return job


def keys_of(jobs: ProviderJobs, job: Job) -> list[str]:
    return [key for key, _ in jobs.bodies(job.id)]


def test_what_is_parked_twice_is_asked_once_and_answered_from_then_on(store: Store) -> None:
    jobs = store.provider_jobs
    many = [asked(f"k{n:04}") for n in range(450)]
    assert jobs.requests.park(many) == jobs.requests.park(many) == {}
    job = gathered(jobs, most=1000)
    assert keys_of(jobs, job) == [one.key for one in many]
    assert jobs.gather(QUEUE, "host", most=9, most_bytes=9) is None
    first = jobs.answered(job.id, {"k0001": "one", "k0002": "two"})
    again = jobs.answered(job.id, {"k0001": "ANOTHER"})
    assert first["k0001"] == again["k0001"] and first["k0001"].answer == "one"
    assert jobs.requests.park(many)["k0002"].answer == "two"
    with reading(store._engine) as connection:
        of = select(provider_requests.c.body).where(provider_requests.c.key == "k0001")
        assert connection.execute(of).scalar() == "", "an answered prompt is kept no longer"


def test_a_job_holds_the_oldest_within_its_limits_and_at_least_one(store: Store) -> None:
    jobs = store.provider_jobs
    jobs.requests.park([asked(key, body="x" * 40) for key in ("a", "b", "c")])
    assert keys_of(jobs, gathered(jobs, most=2)) == ["a", "b"]
    assert keys_of(jobs, gathered(jobs, most_bytes=3)) == ["c"]


def test_a_request_that_is_parked_anew_is_asked_in_its_newest_form(store: Store) -> None:
    jobs = store.provider_jobs
    jobs.requests.park([asked("a", body="old", shape="1")])
    jobs.requests.park([asked("a", body="new", shape="2")])
    job = gathered(jobs)
    assert list(jobs.bodies(job.id)) == [("a", "new")]
    jobs.requests.park([asked("a", body="newer", shape="3")])
    assert jobs.answered(job.id, {"a": "x"})["a"].shape == "2", "as it was asked"


def test_a_job_of_a_process_that_lives_is_left_alone_and_one_that_is_gone_is_taken_over(
    open_store: Callable[[], Store],
) -> None:
    first, second = open_store(), open_store()
    first.provider_jobs.requests.park([asked("a")])
    job = gathered(first.provider_jobs)
    assert first.provider_jobs.adopt({job.id}, AT, FOREVER_S) == []
    assert second.provider_jobs.adopt((), AT, FOREVER_S) == []
    assert first.provider_jobs.sent(job.id, "batch_1")
    first.close()
    assert second.provider_jobs.adopt((), {}, FOREVER_S) == [], "it can't ask that endpoint"
    elsewhere = dict.fromkeys(AT, "another")
    assert second.provider_jobs.adopt((), elsewhere, FOREVER_S) == [], "nor at that address"
    (taken,) = second.provider_jobs.adopt((), AT, FOREVER_S)
    assert (taken.id, taken.remote, taken.adopted) == (job.id, "batch_1", True)


def test_a_job_that_its_process_forgot_is_taken_from_it_for_good(
    open_store: Callable[[], Store],
) -> None:
    first, second = open_store(), open_store()
    first.provider_jobs.requests.park([asked("a")])
    job = gathered(first.provider_jobs)
    assert [one.id for one in second.provider_jobs.adopt((), AT, stale_s=-1.0)] == [job.id]
    assert not first.provider_jobs.sent(job.id, "batch_1")
    assert not first.provider_jobs.ended(job.id, "completed")
    assert second.provider_jobs.sent(job.id, "batch_2")


def test_an_answer_reaches_the_process_that_waits_for_it(open_store: Callable[[], Store]) -> None:
    first, second = open_store(), open_store()
    first.provider_jobs.requests.park([asked("a"), asked("b")])
    job = gathered(first.provider_jobs)
    since, keys = second.provider_jobs.requests.news(0.0)
    assert keys == []
    # Its run goes on in the second process, while the first one sees to the job.
    second.provider_jobs.requests.park([asked("a")])
    first.provider_jobs.answered(job.id, {"a": "one", "b": "two"})
    assert second.provider_jobs.requests.news(since - 1.0)[1] == ["a"]
    assert second.provider_jobs.requests.kept(["a"])["a"].answer == "one"


def test_what_a_job_leaves_is_parked_again_and_what_nobody_wants_is_dropped(store: Store) -> None:
    jobs = store.provider_jobs
    jobs.requests.park([asked("a", run="one"), asked("b", run="two"), asked("c", run="three")])
    job = gathered(jobs)
    assert jobs.requests.withdraw("two", None) == (job.id,)
    assert jobs.wanted(job.id)
    jobs.answered(job.id, {"c": "x"})
    assert jobs.unanswered(job.id) == [("a", 1, False), ("b", 1, True)]
    assert jobs.ended(job.id, "cancelled")
    (waiting,) = jobs.requests.waiting()
    assert (waiting.queue, waiting.count) == (QUEUE, 1)
    assert keys_of(jobs, gathered(jobs)) == ["a"]
    assert jobs.adopt((), AT, FOREVER_S)[0].state is not JobState.OVER


def test_stopping_takes_what_no_job_has_yet_and_only_of_that_call(store: Store) -> None:
    jobs = store.provider_jobs
    jobs.requests.park([asked("a"), asked("b", run="other")])
    assert jobs.requests.withdraw("r", "another call") == ()
    assert jobs.requests.waiting()[0].count == 2
    assert jobs.requests.withdraw("r", "c") == ()
    assert jobs.requests.waiting()[0].count == 1


def test_a_run_that_ended_is_forgotten_but_for_what_a_job_still_works_on(store: Store) -> None:
    jobs = store.provider_jobs
    jobs.requests.park([asked("a"), asked("b"), asked("d", run="other")])
    job = gathered(jobs, most=3)
    jobs.answered(job.id, {"a": "x"})
    jobs.requests.park([asked("c")])
    jobs.requests.forget("r")
    assert jobs.requests.kept(["a"]) == {}
    assert keys_of(jobs, job) == ["b", "d"] and jobs.requests.waiting() == ()
    jobs.requests.sweep()
    assert keys_of(jobs, job) == ["b", "d"]


def test_a_file_is_made_without_what_was_called_off_before(store: Store) -> None:
    jobs = store.provider_jobs
    jobs.requests.park([asked("a"), asked("b", run="other")])
    job = gathered(jobs)
    jobs.requests.withdraw("r", None)
    assert jobs.prune(job.id) and keys_of(jobs, job) == ["b"]
    assert jobs.place_in(job.id, 1) == "b" and jobs.place_in(job.id, 2) is None
    jobs.requests.withdraw("other", None)
    assert not jobs.prune(job.id)


def test_a_job_whose_requests_are_all_answered_needs_no_file(store: Store) -> None:
    jobs = store.provider_jobs
    jobs.requests.park([asked("a")])
    job = gathered(jobs)
    jobs.answered(job.id, {"a": "given up"})
    assert not jobs.prune(job.id), "else it would be handed over without its prompts"


def test_an_answer_that_came_too_late_for_its_run_is_kept_until_it_is_asked_for_again(
    store: Store,
) -> None:
    jobs = store.provider_jobs
    store.write([Made(id="r", status=RunStatus.FAILED).update()])
    jobs.requests.park([asked("early"), asked("late")])
    job = gathered(jobs)
    jobs.answered(job.id, {"early": "x"})
    assert jobs.requests.told(job.id) == ["late"]
    assert jobs.requests.told(job.id) == [], "nobody waits for it any more"
    jobs.answered(job.id, {"late": "paid for"})
    jobs.requests.forget("r")
    jobs.requests.sweep()
    assert jobs.requests.park([asked("late")])["late"].answer == "paid for"
    assert jobs.requests.kept(["early"]) == {}
    jobs.requests.forget("r")
    assert jobs.requests.kept(["late"]) == {}, "now the run was told"


def test_an_answer_that_nobody_asks_for_again_is_not_kept_for_ever(store: Store) -> None:
    jobs = store.provider_jobs
    store.write([Made(id="r", status=RunStatus.FAILED).update()])
    jobs.requests.park([asked("a"), asked("b", run="deleted")])
    store.write([Made(id="deleted", status=RunStatus.FAILED).update()])
    job = gathered(jobs)
    jobs.requests.told(job.id)
    jobs.answered(job.id, {"a": "x", "b": "y"})
    store.history.delete(["deleted"])
    jobs.requests.sweep()
    assert set(jobs.requests.kept(["a", "b"])) == {"a"}
    with writing(store._engine) as connection:
        long_ago = provider_requests.c.answered_at - UNTOLD_S - 1.0
        connection.execute(update(provider_requests).values(answered_at=long_ago))
    jobs.requests.sweep()
    assert jobs.requests.kept(["a"]) == {}


def test_a_run_that_is_removed_for_good_leaves_no_prompt_and_no_answer(store: Store) -> None:
    jobs = store.provider_jobs
    for run in ("stopped", "kept"):
        store.write([Made(id=run, status=RunStatus.STOPPED).update()])
    jobs.requests.park([asked("a", run="stopped"), asked("b", run="stopped"), asked("c", "kept")])
    jobs.answered(gathered(jobs, most=1).id, {"a": "x"})
    store.history.delete(["stopped"])
    assert store.history.purge(time.time() + 60) == 1
    with reading(store._engine) as connection:
        assert list(connection.execute(select(provider_requests.c.key)).scalars()) == ["c"]

"""What a person's view of a shared Fanout holds: theirs, what is shared, and nothing else."""

from __future__ import annotations

import inspect
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from components.compare.tally import maker
from fanout.bounds import SHARED
from fanout.budget.amount import Taken
from fanout.budget.caps import DayCaps
from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.engine.handle import RunHandle
from fanout.engine.own import OwnEngine, OwnRuntime
from fanout.engine.own_endpoints import OwnEndpoints
from fanout.engine.runtime import Runtime
from fanout.engine.viewed import CHECK_S, ViewedRun
from fanout.errors import FanoutError, InputError, LocalModelError, SettingsError
from fanout.export.json_export import json_export
from fanout.people import KEY_FILE, Membership, Person, PersonId
from fanout.policies import Budget
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.settings import ENVIRONMENT, Settings
from fanout.types import BranchState, EndpointId, FailureKind, ModelRef
from fanout.workflows.library import load_all, user_workflows
from fanout.workflows.parsing import parse

ADA, BOB = Person(id=PersonId("a" * 32), name="Ada"), Person(id=PersonId("b" * 32), name="Bob")
MODEL = ModelRef(endpoint=ENVIRONMENT, model="scripted")
SCRIPT = Script(
    rules=(Rule(prompt="unhurried", replies=(Reply(text="word " * 400, tokens_per_s=40),)),),
    otherwise=Reply(text="Said at once."),
)
PAIR = parse(
    {
        "title": "Pair",
        "branches": [
            {"id": "one", "title": "One", "prompt": "{topic}"},
            {"id": "two", "title": "Two", "prompt": "More: {topic}"},
        ],
    },
    name="pair",
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ServerHandle]:
    with serving(SCRIPT) as server:
        yield server


@pytest.fixture
def whole(fanout_home: Path, endpoint: ServerHandle) -> Iterator[Runtime]:
    settings = Settings(
        home=fanout_home,
        base_url=endpoint.base_url,
        model="scripted",
        shared=True,
        bounds=replace(SHARED, runs_per_person=2),
        membership=Membership(runs_per_hour=4),
        allowed_hosts=("127.0.0.1",),
    )
    with Runtime(settings) as whole:
        yield whole


def view(whole: Runtime, person: Person) -> OwnRuntime:
    assert whole.visitors is not None
    return whole.visitors.of(person)


@pytest.fixture
def ada(whole: Runtime) -> OwnRuntime:
    return view(whole, ADA)


@pytest.fixture
def bob(whole: Runtime) -> OwnRuntime:
    return view(whole, BOB)


def ran(own: Runtime, topic: str = "rain") -> RunHandle:
    handle = own.engine.start(PAIR, topic, MODEL)
    assert handle.wait(20).status.finished
    return handle


def test_a_view_has_everything_that_the_whole_has(whole: Runtime, ada: OwnRuntime) -> None:
    """Else a page that works alone would fail where it is shared."""
    assert {name for name in vars(whole) if not hasattr(ada, name)} == set()


def test_every_act_of_the_whole_has_its_own_answer_in_a_view() -> None:
    """What is not answered anew would act for everybody, or on an empty book."""
    for own, general, kept in (
        (OwnEndpoints, EndpointBook, {"free_id", "resolve"}),
        (OwnEngine, Engine, {"call", "soon"}),
    ):
        public = {n for n, f in inspect.getmembers(general) if n[0] != "_" and callable(f)}
        public |= {n for n, f in vars(general).items() if isinstance(f, property)}
        assert public - set(vars(own)) - kept == set(), own


def test_another_persons_run_is_not_there(ada: OwnRuntime, bob: OwnRuntime) -> None:
    handle = ran(ada)
    assert ada.engine.get(handle.id) is not None
    assert bob.engine.get(handle.id) is None
    assert bob.engine.runs() == ()
    assert bob.store.load(handle.id) is None
    bob.engine.forget([handle.id])
    assert ada.engine.get(handle.id) is handle


def test_another_persons_live_run_is_not_there_and_goes_on(
    ada: OwnRuntime, bob: OwnRuntime
) -> None:
    handle = ada.engine.start(PAIR, "unhurried", MODEL)
    assert bob.engine.get(handle.id) is None
    bob.engine.forget([handle.id])
    assert not handle.snapshot.status.finished
    handle.stop()
    assert handle.wait(10).status.finished


def test_a_shared_run_can_be_looked_at_and_nothing_else(ada: OwnRuntime, bob: OwnRuntime) -> None:
    handle = ada.engine.start(PAIR, "unhurried", MODEL)
    ada.store.share(handle.id, True)
    seen = bob.engine.get(handle.id)
    assert isinstance(seen, ViewedRun)
    seen.stop()
    seen.interrupt()
    assert not seen.snapshot.status.finished
    handle.stop()
    assert seen.wait(10).status.finished
    before = len(handle.events)
    seen.retry()
    seen.fold_in()
    assert not seen.resume()
    assert len(handle.events) == before
    ada.store.share(handle.id, False)
    assert bob.engine.get(handle.id) is None


def test_a_page_that_keeps_a_run_sees_no_more_of_it_once_it_is_private(
    ada: OwnRuntime, bob: OwnRuntime
) -> None:
    """Such as a board that polls: its fragment holds the run that it was drawn with."""
    handle = ada.engine.start(PAIR, "unhurried", MODEL)
    ada.store.share(handle.id, True)
    now = 0.0
    kept = ViewedRun(handle, lambda: bob.store.access(handle.id) is not None, lambda: now)
    ada.store.share(handle.id, False)
    now = CHECK_S
    before = kept.snapshot, kept.events
    handle.stop()
    handle.wait(10)
    assert (kept.snapshot, kept.events) == before and not kept.snapshot.status.finished
    assert list(kept.follow()) == []
    ada.store.share(handle.id, True)
    now = 2 * CHECK_S
    assert kept.snapshot == handle.snapshot and kept.events == handle.events


def test_what_one_may_see_is_not_remembered_for_another(ada: OwnRuntime, bob: OwnRuntime) -> None:
    run = ran(ada).id
    assert maker(bob, run) is None
    assert maker(ada, run) is not None
    assert maker(bob, run) is None


def test_a_run_of_an_earlier_process_is_still_its_owners(
    whole: Runtime, ada: OwnRuntime, fanout_home: Path
) -> None:
    handle = ran(ada)
    settings = whole.settings
    whole.close()
    with Runtime(settings) as again:
        own = view(again, ADA).engine.get(handle.id)
        assert own is not None and own.person == ADA.id
        assert view(again, BOB).engine.get(handle.id) is None
        # What is asked again is written down as hers, too.
        assert not own.resume()


def test_a_run_says_nothing_of_its_person_in_what_leaves(ada: OwnRuntime) -> None:
    stored = ada.store.load(ran(ada).id)
    assert stored is not None
    assert ADA.id not in json_export(stored) and "Ada" not in json_export(stored)


def added(own: OwnRuntime, url: str) -> EndpointId:
    book = own.engine.endpoints
    id = book.free_id("Mine")
    endpoint = Endpoint(id=id, name="Mine", base_url=url, on_this_machine=False, slots=2)
    book.add(replace(endpoint, default_model="scripted"), Secret("sk-of-ada-alone"))
    return id


def test_an_added_endpoint_is_its_persons_own(
    ada: OwnRuntime, bob: OwnRuntime, whole: Runtime, endpoint: ServerHandle, fanout_home: Path
) -> None:
    mine = added(ada, endpoint.base_url)
    assert mine in ada.engine.endpoints and ada.engine.endpoints.has_key(mine)
    assert mine not in bob.engine.endpoints and mine not in whole.engine.endpoints
    assert all("Mine" not in offer.label for offer in bob.offers())
    assert any("Mine" in offer.label for offer in ada.offers())
    run = ada.engine.start(PAIR, "rain", ModelRef(endpoint=mine, model="scripted"))
    assert run.wait(20).branches[0].state is BranchState.DONE
    written = [path.read_bytes() for path in fanout_home.rglob("*") if path.is_file()]
    assert not any(b"sk-of-ada-alone" in data for data in written)
    assert not (fanout_home / "endpoints.json").exists()


def test_no_workflow_reaches_another_persons_endpoint_by_its_name(
    ada: OwnRuntime, bob: OwnRuntime, endpoint: ServerHandle
) -> None:
    mine = added(ada, endpoint.base_url)
    sly = parse(
        {
            "title": "Sly",
            "branches": [{"id": "x", "title": "X", "prompt": "hi", "model": f"{mine}/scripted"}],
        },
        name="sly",
    )
    asked = bob.engine.start(sly, "rain", MODEL).wait(20).branches[0].plan.model
    assert asked.endpoint == ENVIRONMENT
    failed = bob.engine.start(PAIR, "rain", ModelRef(endpoint=mine, model="scripted")).wait(20)
    assert failed.branches[0].state is BranchState.FAILED
    assert failed.branches[0].failure is not None
    assert "no endpoint" in failed.branches[0].failure.message


def test_nobody_changes_what_serves_everybody(ada: OwnRuntime, whole: Runtime) -> None:
    book = ada.engine.endpoints
    common = book.get(ENVIRONMENT)
    for change in (
        lambda: book.change(replace(common, slots=1)),
        lambda: book.remove(ENVIRONMENT),
        lambda: book.put(common, Secret("sk-another")),
        lambda: book.put(replace(common, id=BUNDLED)),
    ):
        with pytest.raises(SettingsError):
            change()
    assert whole.engine.endpoints.get(ENVIRONMENT) == common
    assert not ada.may_change(ENVIRONMENT)
    with pytest.raises(LocalModelError):
        ada.use_local_model("/etc/passwd")
    assert ada.found_servers() == ()


def test_an_admin_changes_how_everybodys_endpoint_is_asked(whole: Runtime) -> None:
    book = view(whole, replace(ADA, admin=True)).engine.endpoints
    common = book.get(ENVIRONMENT)
    book.change(replace(common, slots=3))
    assert whole.engine.endpoints.get(ENVIRONMENT).slots == 3
    with pytest.raises(SettingsError):
        book.change(common, Secret("sk-another"))
    # No longer one from the next page on.
    with pytest.raises(SettingsError):
        view(whole, ADA).engine.endpoints.change(common)


def test_the_budget_of_everybody_is_for_admins(whole: Runtime, ada: OwnRuntime) -> None:
    caps = DayCaps(everyone=Budget(tokens=10**6), person=Budget(tokens=10**5))
    with pytest.raises(SettingsError):
        ada.engine.budgets.caps.change(caps)
    view(whole, replace(BOB, admin=True)).engine.budgets.caps.change(caps)
    ran(ada)
    hers = ada.engine.budgets.today()
    assert (hers.caps.everyone, hers.caps.person) == (Budget(), caps.person)
    assert hers.taken.everyone == Taken() != hers.taken.person
    all_of_it = view(whole, replace(BOB, admin=True)).engine.budgets.today()
    assert (all_of_it.caps, all_of_it.taken.person) == (caps, Taken())
    assert all_of_it.taken.everyone == hers.taken.person


def test_a_person_spends_no_more_than_their_part_of_the_day(
    whole: Runtime, ada: OwnRuntime
) -> None:
    whole.engine.budgets.caps.change(DayCaps(person=Budget(tokens=10)))
    failures = [branch.failure for branch in ran(ada).snapshot.branches]
    assert [one and one.kind for one in failures] == [FailureKind.BUDGET] * 2


def test_workflows_and_documents_are_kept_apart(
    ada: OwnRuntime, bob: OwnRuntime, whole: Runtime
) -> None:
    user_workflows(ada.settings.home).add(PAIR)
    ada.library.add("secret.txt", b"The launch is on Friday.")
    assert "pair" in {one.name for one in load_all(ada.settings.home).workflows}
    for other in (bob, whole):
        assert "pair" not in {one.name for one in load_all(other.settings.home).workflows}
    assert ada.library.search("launch", 5)
    assert not bob.library.search("launch", 5)


def test_no_more_runs_at_once_than_one_person_may(ada: OwnRuntime, bob: OwnRuntime) -> None:
    going = [ada.engine.start(PAIR, "unhurried", MODEL) for _ in range(2)]
    with pytest.raises(InputError, match="FANOUT_MAX_RUNS_PER_PERSON"):
        ada.engine.start(PAIR, "rain", MODEL)
    ran(bob)
    for handle in going:
        handle.stop()
        handle.wait(10)
    ran(ada)


def test_who_presses_run_many_times_at_once_gets_no_more_runs(ada: OwnRuntime) -> None:
    """Whether there is a place and taking it are one step."""
    together = threading.Barrier(4)

    def press(number: int) -> RunHandle | None:
        together.wait(10)
        try:
            return ada.engine.start(PAIR, f"unhurried {number}", MODEL)
        except InputError as error:
            assert "FANOUT_MAX_RUNS_PER_PERSON" in str(error)
            return None

    with ThreadPoolExecutor(4) as pool:
        going = [handle for handle in pool.map(press, range(4)) if handle is not None]
    assert 1 <= len(going) <= 2
    for handle in going:
        handle.stop()
        handle.wait(10)


def test_runs_that_go_on_take_places_too(ada: OwnRuntime) -> None:
    ended = []
    for number in range(3):
        handle = ada.engine.start(PAIR, f"unhurried {number}", MODEL)
        handle.stop()
        handle.wait(10)
        ended.append(handle)
    first, second, third = ended
    assert first.resume() and second.resume()
    for act in (third.resume, third.retry, third.fold_in):
        with pytest.raises(InputError, match="FANOUT_MAX_RUNS_PER_PERSON"):
            act()
    # What goes on has its place, whatever else is asked of it.
    first.retry()
    first.stop()
    first.wait(10)
    assert third.resume()
    for handle in (second, third):
        handle.stop()
        handle.wait(10)


def test_no_more_runs_in_an_hour_than_one_person_may(ada: OwnRuntime, bob: OwnRuntime) -> None:
    for _ in range(4):
        ran(ada)
    with pytest.raises(InputError, match="in 60 minutes"):
        ada.engine.start(PAIR, "rain", MODEL)
    # Removing them for good frees no place.
    ada.store.history.delete([run.id for run in ada.engine.runs()])
    ada.store.history.purge(4e9)
    with pytest.raises(InputError, match="FANOUT_PERSON_RUNS_PER_HOUR"):
        ada.engine.start(PAIR, "rain", MODEL)
    ran(bob)


def test_what_can_not_be_run_takes_no_place_in_the_hour(ada: OwnRuntime) -> None:
    for _ in range(5):
        with pytest.raises(FanoutError):
            ada.engine.start(PAIR, "  ", MODEL)
    ran(ada)


def test_the_key_that_tells_people_apart_is_for_its_owner_only(
    whole: Runtime, fanout_home: Path
) -> None:
    assert stat.S_IMODE((fanout_home / KEY_FILE).stat().st_mode) == 0o600

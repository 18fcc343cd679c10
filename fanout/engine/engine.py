"""The synchronous front door: start a run, find it again, stop it.

One event loop on one daemon thread carries every run of the process. No page, tab or script
thread owns a run, so reruns, refreshes and closed tabs change nothing about it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal
from anyio.to_thread import run_sync

from fanout.bounds import LOCAL, Bounds
from fanout.budget.budgets import Budgets, spent_in, worst_usd_by
from fanout.engine.acts import acts_of
from fanout.engine.answering import Answering
from fanout.engine.archive import Archive
from fanout.engine.belongings import BelongingsOf
from fanout.engine.endpoints import EndpointBook
from fanout.engine.exchange import Exchange
from fanout.engine.execution import Execution
from fanout.engine.foreseen import foreseen
from fanout.engine.handle import RunHandle
from fanout.engine.origin import made_with, stand_in, workflow_of
from fanout.engine.parking import Parking
from fanout.engine.places import Places
from fanout.engine.scribe import Scribe
from fanout.errors import DefinitionError, StoreError
from fanout.events import Event, RunStarted
from fanout.kernel.recorder import Recorder
from fanout.people import NOBODY, PersonId
from fanout.policies import Policies, RetryPolicy
from fanout.relay.post import Post
from fanout.retrieval.library import Library
from fanout.store.values import StoredRun
from fanout.types import ModelRef, RowPlace, RunId, Via
from fanout.workflows.definition import Workflow
from fanout.workflows.quoting import marker_of
from fanout.workflows.run import combining_call, plan, vote
from fanout.workflows.topic import clean_topic

if TYPE_CHECKING:
    from fanout.store.store import Store

log = logging.getLogger(__name__)

Result = TypeVar("Result")
ENDED_S = 1.25
"""How long `close` waits for all runs to end."""
CLOSED_S = 2.75
"""Within what time `close` has the record written, or leaves it as it is: who ends the process
often waits five seconds before killing it."""
BEGUN_S = 2.0
"""How long `start` waits for the run's first line to be written down."""


class Engine:
    """Use as a context manager, or call `close`. All methods may be called from any thread."""

    def __init__(
        self,
        endpoints: EndpointBook,
        *,
        retries: RetryPolicy | None = None,
        library: Callable[[], Library] | None = None,
        store: Store | None = None,
        belongings: BelongingsOf | None = None,
        budgets: Budgets | None = None,
        bounds: Bounds = LOCAL,
        post: Post | None = None,
        witness: Callable[[Recorder, Event], None] | None = None,
    ) -> None:
        """`library` opens the user's documents on first need; None: there are none. `belongings`
        tells, of a person whose run it is, what takes the place of `endpoints` and `library`.

        Without a store runs live in memory only. The engine writes to it but doesn't close it.
        `budgets` holds the caps of a day; without it a run has only its own. `post` is how
        processes on one record speak with each other, and is closed with the engine. `witness` is
        told what happens in every run, on the engine's own thread.
        """
        self.endpoints = endpoints
        self.budgets = budgets or Budgets(worst_usd_by(endpoints.known))
        self.bounds = bounds
        self._store = store
        self.scribe = Scribe(store, self._went_on, self._left) if store is not None else None
        self._answering = Answering(endpoints, library, belongings)
        self._retries = retries
        self.parking = Parking(store, self.soon)
        self._witness = witness
        self._archive = Archive(store, self._reopened)
        self._exchange = Exchange(store, self._archive, post) if store is not None else None
        self._places = Places(
            bounds,
            self._archive.all,
            store.turns if store is not None else None,
            lambda: self.scribe.flush(BEGUN_S) if self.scribe is not None else None,
        )
        self._portal_context = start_blocking_portal(
            "asyncio", {"use_uvloop": find_spec("uvloop") is not None}, name="fanout-engine"
        )
        self._portal: BlockingPortal = self._portal_context.__enter__()
        self._closed = False

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(
        self,
        workflow: Workflow,
        topic: str,
        model: ModelRef,
        *,
        sequential: bool = False,
        derived_from: RunId | None = None,
        person: PersonId = NOBODY,
        run_id: RunId | None = None,
        row: RowPlace | None = None,
        admit: Callable[[], None] = lambda: None,
    ) -> RunHandle:
        """Start a run and return at once. InputError if the topic can't be run, or a bound is
        reached, or `admit` raises it, which is asked where nobody else takes a place meanwhile.

        `sequential` asks its branches one after another, to measure what going parallel brings;
        `derived_from` names the run whose topic this one repeats; `person` is whose run it is.
        `row` says which row of a batch it is, and `run_id` what the run is to be called there: the
        bounds on what people start by hand don't count for it.
        """
        topic = clean_topic(topic)
        self.bounds.check_topic(topic)
        self.bounds.check_branches(len(workflow.active))
        begin = partial(
            self._begun, workflow, topic, model, sequential, derived_from, person, run_id, row
        )
        if row is not None:
            return begin()
        with self._places.place(person, admit):
            return begin()

    def get(self, run_id: str) -> RunHandle | None:
        """The run of that id, live or of any earlier day; None if there is none."""
        return self._archive.get(run_id)

    def forget(self, run_ids: Iterable[str]) -> None:
        """Deleted runs are not found by `get` any more; those under way are stopped."""
        forgotten = tuple(run_ids)
        self._archive.forget(forgotten)
        if self._exchange is not None:
            self._exchange.forgot(forgotten)

    def book(self, person: PersonId = NOBODY) -> EndpointBook:
        """The endpoints that a person's runs may ask here."""
        return self._answering.book(person)

    def let_go(self, run_id: str) -> None:
        """Keep a run that has ended in the record only, as of a batch of thousands."""
        self._archive.let_go(run_id)

    def runs(self) -> tuple[RunHandle, ...]:
        """Those in memory, newest first."""
        return self._archive.all()

    def call(self, function: Callable[..., Awaitable[Result]], *args: object) -> Result:
        """Run a coroutine function on the engine's loop and wait for its result."""
        return self._portal.call(function, *args)

    def soon(self, function: Callable[..., Awaitable[object]], *args: object) -> None:
        """Start a coroutine function on the engine's loop without waiting for it."""
        self._portal.start_task_soon(function, *args)

    @property
    def closed(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._closed

    def close(self) -> None:
        """Stop every run, close every connection and end the loop. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        here = [handle for handle in self.runs() if not handle.elsewhere]
        live = [handle for handle in here if not handle.snapshot.status.finished]
        for handle in live:
            handle.interrupt()
        began = monotonic()
        for handle in live:
            handle.wait(timeout_s=max(0.0, began + ENDED_S - monotonic()))
        self._portal.call(self.parking.aclose)
        self._portal.call(self.endpoints.aclose)
        self._portal.call(self._portal.stop, True)
        self._portal_context.__exit__(None, None, None)
        self.budgets.close()
        if self.scribe is not None:
            self.scribe.close(began + CLOSED_S - monotonic())
        if self._exchange is not None:
            # Last, so that those who watch are told the end.
            self._exchange.close()

    def _begun(
        self,
        workflow: Workflow,
        topic: str,
        model: ModelRef,
        sequential: bool,
        derived_from: RunId | None,
        person: PersonId,
        run_id: RunId | None,
        row: RowPlace | None,
    ) -> RunHandle:
        """A new run, among those in flight when this returns."""
        book = self._answering.book(person)
        resolve = self._answering.resolver(model, person)
        run_id = run_id or new_run_id()
        plans = plan(workflow, topic, resolve, marker_of(run_id))
        combining = combining_call(workflow, topic, resolve)
        asked = [*plans, *([combining] if combining else [])]
        self._answering.look_up_prices(asked, person)
        own = self._store.of(person) if self._store is not None and person else self._store
        recorder = Recorder(self.scribe, person=person)
        recorder.witness = self._witness
        recorder.emit(
            RunStarted(
                at=0.0,
                run_id=run_id,
                workflow=workflow.name,
                title=workflow.title,
                topic=topic,
                branches=plans,
                started_at=recorder.started_at,
                aggregate_kind=workflow.aggregate.kind if workflow.aggregate else None,
                kind=workflow.kind,
                vote=vote(workflow, topic),
                policies=self.parking.policies(self._policies(workflow), row),
                made_with=made_with(
                    workflow,
                    model,
                    [model for call in asked for model in (call.model, *call.fallback)],
                    book,
                    sequential=sequential,
                    derived_from=derived_from,
                    estimate=None
                    if row is not None
                    else foreseen(workflow, topic, resolve, book, own).forecast,
                    row=row,
                ),
            )
        )
        execution, handle = self._carried_out(recorder, workflow, model)
        self._archive.put(handle)
        self.soon(execution.main)
        return handle

    def _carried_out(
        self, recorder: Recorder, workflow: Workflow, model: ModelRef
    ) -> tuple[Execution, RunHandle]:
        made = recorder.snapshot.made_with
        row = made.row if made is not None else None
        policies = self.parking.policies(
            self._policies(workflow), None if made is None else made.row
        )
        worst_usd = worst_usd_by(self._answering.book(recorder.person).known)
        capped = policies.budget.capped
        execution = Execution(
            workflow=workflow,
            topic=recorder.snapshot.topic,
            resolve=self._answering.resolver(model, recorder.person),
            recorder=recorder,
            calls=self.parking.view(self._answering.calls(recorder.person), recorder),
            policies=policies,
            purse=self.budgets.purse_for(
                recorder.snapshot.run_id,
                policies.budget,
                recorder.person,
                already=spent_in(recorder.snapshot, worst_usd if capped else None),
                worst_usd=worst_usd,
                batch=row.batch if row is not None else None,
                parked=row is not None and row.via is Via.PROVIDER,
            ),
            sequential=made is not None and made.sequential,
        )

        handle = RunHandle(
            recorder=recorder,
            workflow=workflow,
            model=model,
            acts=acts_of(
                execution,
                self._portal,
                may_go_on=lambda: self._may_go_on(handle),
                place=lambda: self._places.place_of(handle),
                check=lambda: self._places.check(handle),
                aside=self._store is not None,
            ),
        )
        return execution, handle

    def _reopened(self, stored: StoredRun) -> RunHandle:
        """A run of earlier, ready to go on; one that this version can't go on with only shows."""
        assert self._store is not None
        model = stored.snapshot.branches[0].plan.model
        if stored.snapshot.made_with is not None:
            model = stored.snapshot.made_with.model
        if stored.live:
            assert self._exchange is not None
            return self._exchange.watched(stored, model)
        recorder = Recorder.reopened(
            stored.events, self.scribe, filed=stored.written, person=stored.person
        )
        recorder.witness = self._witness
        why = stored.problem
        try:
            workflow = workflow_of(stored.snapshot)
        except DefinitionError as error:
            why = why or str(error)
            workflow = stand_in(stored.snapshot)
        if why:
            return RunHandle(recorder=recorder, workflow=workflow, model=model, fixed=why)
        return self._carried_out(recorder, workflow, model)[1]

    def _went_on(self, run_id: RunId) -> None:
        if self._exchange is not None:
            self._exchange.went_on(run_id)

    def _left(self, recorder: Recorder) -> None:
        """The record went on without a run: what is asked here would be paid for and kept by
        nobody."""
        handle = self._archive.known(recorder.snapshot.run_id)
        if handle is None or handle.recorder is not recorder:
            return
        # The loop may have ended already, and the run with it.
        with suppress(RuntimeError):
            handle.interrupt()
        if self._exchange is not None:
            self._exchange.astray(handle.id)

    async def _may_go_on(self, handle: RunHandle) -> bool:
        """Whether this process may go on with a run; not while another one does, nor after one."""
        if self._store is None or not handle.snapshot.status.finished:
            return True
        try:
            if not await run_sync(self._store.claim, handle.id):
                return False
            standing = await run_sync(self._store.standing, handle.id)
            if standing is not None:
                handle.compare(standing)
            return not handle.outdated
        except StoreError as error:
            # Asking again must not hang on the record; it is written as soon as it can be.
            log.warning("going on without the record: %s", error)
            return True

    def _policies(self, workflow: Workflow) -> Policies:
        policies = workflow.policies.value()
        return policies if self._retries is None else replace(policies, retries=self._retries)


def new_run_id() -> RunId:
    """Not to be guessed, and no option of a command line by its first character."""
    while not (made := secrets.token_urlsafe(12))[0].isalnum():
        pass
    return RunId(made)

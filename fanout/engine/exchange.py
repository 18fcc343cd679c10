"""What this process and the others say to each other about runs: news, requests, and answers.

Who may do what is checked where the person is, who holds a run only if it is theirs. Nobody but
processes of this deployment can speak here: it takes the right to use its database, or its Redis.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterable

from pydantic import ValidationError

from fanout.engine.archive import Archive
from fanout.engine.handle import Acts, RunHandle
from fanout.engine.origin import stand_in, workflow_of
from fanout.engine.publishing import Publishing
from fanout.engine.watched import ALONE, OUT_OF_REACH, WatchedRun
from fanout.engine.watching import Watching
from fanout.errors import DefinitionError, FanoutError, InputError
from fanout.relay.line import EVERYBODY
from fanout.relay.messages import Act, Forgotten, Look, Message, News, Told, Watch, WentOn
from fanout.relay.post import Post
from fanout.store.store import Store
from fanout.store.values import StoredRun
from fanout.types import BranchId, ModelRef
from fanout.workflows.specs import AggregateSpec

log = logging.getLogger(__name__)

ANSWER_S = 2.0
"""How long the answer to a request is waited for."""
NO_ANSWER = (
    "The process of Fanout that carries out this run does not answer. What you asked for may still "
    "be done: look in a moment before you ask again. If that process is gone, the run ends as "
    "interrupted in a moment and can be resumed here."
)
NOT_ASKED = (
    "The process of Fanout that carries out this run can't be reached, so nothing was asked of it. "
    "If it is gone, the run ends as interrupted in a moment and can be resumed here; else try it "
    "again."
)


class Exchange:
    """All methods may be called from any thread."""

    def __init__(self, store: Store, archive: Archive, post: Post | None) -> None:
        """`post` None: there is nobody to speak with, and runs of others are only read."""
        self._archive = archive
        self._post = post
        self._watching = Watching(store, post, archive.get)
        self._publishing = None if post is None else Publishing(post, archive.known)
        self._waiting: dict[str, _Answer] = {}
        if post is not None:
            post.open(self._heard, self._watching.changed)

    def watched(self, stored: StoredRun, model: ModelRef) -> WatchedRun:
        """A run that another process is at work on, followed from now on."""
        try:
            workflow = workflow_of(stored.snapshot)
        except DefinitionError:
            workflow = stand_in(stored.snapshot)
        run = WatchedRun(
            stored,
            workflow,
            model,
            acts=self._acts_on(lambda: run),
            fixed=self._why_fixed,
            looked_at=self._watching.looked_at,
        )
        self._watching.watch(run)
        return run

    def went_on(self, run_id: str) -> None:
        """A run that had ended goes on here; others have to know."""
        if self._post is not None:
            self._post.send(EVERYBODY, WentOn(by=self._post.address, run=run_id))

    def astray(self, run_id: str) -> None:
        """A run of this process is another's by now: from now on it is shown as it is there."""
        self._watching.went_on(run_id)

    def forgot(self, run_ids: Iterable[str]) -> None:
        """These runs were deleted here."""
        runs = tuple(run_ids)
        if self._post is not None and runs:
            self._post.send(EVERYBODY, Forgotten(by=self._post.address, runs=runs))

    def close(self) -> None:
        self._watching.close()
        if self._publishing is not None:
            self._publishing.close()
        if self._post is not None:
            self._post.close()

    def _why_fixed(self) -> str:
        if self._post is None:
            return ALONE
        return "" if self._post.up else OUT_OF_REACH

    def _acts_on(self, run: Callable[[], WatchedRun]) -> Acts:
        """What can be asked of a run elsewhere; once it has ended it is asked here."""

        def here() -> RunHandle | None:
            return self._archive.get(run().id) if run().outdated else None

        def stop(branch: BranchId | None) -> None:
            if not run().outdated:
                self._ask(run(), stop_of(run(), branch))

        def retry(branch: BranchId | None) -> None:
            if (handle := here()) is not None and handle is not run():
                handle.retry(branch)

        def resume(branch: BranchId | None) -> bool:
            handle = here()
            return handle is not None and handle is not run() and handle.resume(branch)

        def combine(spec: AggregateSpec, left_out: frozenset[BranchId]) -> None:
            if (handle := here()) is not None and handle is not run():
                handle.combine(spec, left_out)
                return
            self._ask(run(), combining_of(run(), spec, left_out), wait=True)

        return Acts(stop=stop, retry=retry, resume=resume, combine=combine)

    def _ask(self, run: WatchedRun, act: Act, *, wait: bool = False) -> None:
        """InputError where that was refused, or not answered; only with `wait`."""
        answer = _Answer()
        if self._post is None or not self._post.up:
            self._watching.check(act.run)
            if wait:
                raise InputError(NOT_ASKED)
            run.notify(NOT_ASKED)
            return
        self._waiting[act.id] = answer
        self._post.send(run.owner, act.model_copy(update={"by": self._post.address}))
        if wait:
            self._wait(act, answer)
        else:
            # The screen shows what came of it; this is for a process that does not answer.
            threading.Thread(target=self._follow_up, args=(run, act, answer), daemon=True).start()

    def _wait(self, act: Act, answer: _Answer) -> None:
        came = answer.came.wait(ANSWER_S)
        self._waiting.pop(act.id, None)
        if not came:
            self._watching.check(act.run)
            raise InputError(NO_ANSWER)
        if answer.problem:
            raise InputError(answer.problem)

    def _follow_up(self, run: WatchedRun, act: Act, answer: _Answer) -> None:
        try:
            self._wait(act, answer)
        except InputError as error:
            log.warning("run %s: %s", act.run, error)
            run.notify(str(error))
        else:
            run.notify("")

    def _heard(self, message: Message) -> None:
        match message:
            case Watch():
                if self._publishing is not None:
                    self._publishing.watched(message)
            case News() | Look():
                self._watching.told(message)
            case Act():
                # It may wait for a place among the runs in flight.
                threading.Thread(target=self._carry_out, args=(message,), daemon=True).start()
            case Told():
                answer = self._waiting.get(message.id)
                if answer is not None:
                    answer.problem = message.problem
                    answer.came.set()
            case WentOn():
                known = self._archive.known(message.run)
                if self._is_other(message.by) and known is not None:
                    self._watching.went_on(message.run)
            case Forgotten():
                if self._is_other(message.by):
                    self._archive.forget(message.runs)

    def _is_other(self, address: str) -> bool:
        return self._post is not None and address != self._post.address

    def _carry_out(self, act: Act) -> None:
        assert self._post is not None
        problem = ""
        try:
            self._do(act)
        except FanoutError as error:
            problem = str(error)
        except ValidationError:
            problem = "The other process of Fanout is of another version. Update both."
        except Exception:
            log.exception("what was asked from another process of run %s", act.run)
            problem = "Fanout made a mistake; its log says more."
        self._post.send(act.by, Told(id=act.id, problem=problem))

    def _do(self, act: Act) -> None:
        handle = self._archive.known(act.run)
        if handle is None or handle.elsewhere:
            raise InputError("This run is not carried out there any more. Open it anew.")
        if act.act == "stop":
            handle.stop(None if act.branch is None else BranchId(act.branch))
        elif act.spec is not None:
            spec = AggregateSpec.model_validate(act.spec)
            handle.combine(spec, [BranchId(one) for one in act.left_out])


class _Answer:
    def __init__(self) -> None:
        self.came = threading.Event()
        self.problem = ""


def stop_of(run: WatchedRun, branch: BranchId | None) -> Act:
    return Act(
        id=secrets.token_hex(8),
        by="",
        run=run.seen.run_id,
        act="stop",
        branch=branch,
    )


def combining_of(run: WatchedRun, spec: AggregateSpec, left_out: frozenset[BranchId]) -> Act:
    return Act(
        id=secrets.token_hex(8),
        by="",
        run=run.seen.run_id,
        act="combine",
        spec=spec.model_dump(mode="json"),
        left_out=tuple(sorted(left_out)),
    )

"""One run as the rest of the world sees it: look at it, wait for it, stop it, ask again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fanout.events import Event
from fanout.kernel.recorder import Recorder
from fanout.people import PersonId
from fanout.snapshot import Snapshot
from fanout.store.values import Standing
from fanout.types import AGGREGATE, BranchId, ModelRef, RunId
from fanout.workflows.definition import Workflow, check_templates
from fanout.workflows.specs import AggregateSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """What can be done about a run; by default nothing happens."""

    stop: Callable[[BranchId | None], None] = lambda _branch: None
    retry: Callable[[BranchId | None], None] = lambda _branch: None
    resume: Callable[[BranchId | None], bool] = lambda _branch: False
    combine: Callable[[AggregateSpec, frozenset[BranchId]], None] = lambda _spec, _left_out: None
    interrupt: Callable[[], None] = lambda: None


class RunHandle:
    """Safe in any thread. A handle outlives every page, tab and session that looks at it."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        workflow: Workflow,
        model: ModelRef,
        acts: Acts | None = None,
        fixed: str = "",
    ) -> None:
        self._recorder = recorder
        self.workflow = workflow
        """The definition as it was run, edits included."""
        self.model = model
        self._acts = acts or Acts()
        self._fixed = fixed
        self._successor: RunHandle | None = None
        self.imported = False
        """True where it came as a file: its prompts are somebody else's."""

    elsewhere = False
    """Whether another process carries it out."""

    @property
    def fixed(self) -> str:
        """Why this run can be read but nothing of it asked again; "" where it can."""
        return self._fixed

    @property
    def notice(self) -> str:
        """What became of the last thing that was asked, for a while where it can't be seen; else
        ""."""
        return ""

    @property
    def newest(self) -> RunHandle:
        """What stands for this run by now: itself, unless it went on elsewhere or came back."""
        handle = self
        while handle._successor is not None:
            handle = handle._successor
        return handle

    def succeeded_by(self, handle: RunHandle) -> None:
        """From now on what is asked of this one is asked of that one."""
        if handle.newest is not self:
            self._successor = handle

    @property
    def outdated(self) -> bool:
        """True where the record went on without this one, as when another process resumed it."""
        return self._recorder.overtaken

    def compare(self, standing: Standing) -> None:
        """Notice a record that went on without this handle, after which it is `outdated`."""
        if self._recorder.settled and standing.written > self._recorder.filed:
            self._recorder.leave()

    @property
    def recorder(self) -> Recorder:
        """For those who tell of it elsewhere; read only."""
        return self._recorder

    @property
    def person(self) -> PersonId:
        """Whose run it is."""
        return self._recorder.person

    @property
    def id(self) -> RunId:
        return self.snapshot.run_id

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture, without ends that aren't written down yet; never blocks."""
        return self._recorder.shown

    @property
    def events(self) -> tuple[Event, ...]:
        return self._recorder.events

    def now_s(self) -> float:
        """Seconds since the run began."""
        return self._recorder.now_s()

    def follow(self) -> Iterator[Event]:
        """Every event as it happens, from the first, until the run has finished. Blocks."""
        return self._recorder.follow()

    def wait_beyond(self, seen: int, timeout_s: float) -> None:
        """Block until there are more than so many events, the run has finished, or time is up."""
        self._recorder.wait_beyond(seen, timeout_s)

    def wait(self, timeout_s: float | None = None) -> Snapshot:
        """Block until the run has finished or time is up; look at `status` to know which."""
        return self._recorder.wait(timeout_s)

    def heed(self, told: Callable[[], None]) -> None:
        """Call it from now on, on any thread, when more is written down or the run went on
        elsewhere. It must not block."""
        self._recorder.heed(told)

    def has_kept(self, branch_id: BranchId | None = None) -> bool:
        """Whether the end of that call, or of the whole run, is in the record for good."""
        return self._recorder.has_kept(branch_id)

    @property
    def kept(self) -> int:
        """How many of its events are in the record for good."""
        return self._recorder.kept

    @property
    def told(self) -> int:
        """How many there are by now, those that aren't shown yet included."""
        return self._recorder.told

    def stop(self, branch_id: BranchId | None = None) -> None:
        """Stop one branch, or the whole run; its text so far is kept. Harmless when it is over."""
        self.newest._acts.stop(branch_id)

    def interrupt(self) -> None:
        """End it because the process ends or has lost it; it can be resumed later, even by another
        process."""
        self._acts.interrupt()

    def fold_in(self) -> None:
        """Write the run's own answer anew, with what came too late. InputError as `retry`."""
        self.newest._acts.retry(AGGREGATE)

    def retry(self, branch_id: BranchId | None = None) -> None:
        """Ask one branch again, or every one that has no answer, then combine anew.

        This is also how an interrupted run goes on. Does nothing while the run is going on.
        InputError where as many runs are in flight as may be.
        """
        self.newest._acts.retry(branch_id)

    def resume(self, branch_id: BranchId | None = None) -> bool:
        """`retry` for those who wait: returns once it has begun; False if nothing is missing.

        InputError as `retry`. Not to be called on the engine's own thread.
        """
        return self.newest._acts.resume(branch_id)

    def combine(self, spec: AggregateSpec, left_out: Iterable[BranchId] = ()) -> None:
        """Write another combined answer beside those that are there; no branch is asked again.

        It is made of the branches that are done by now, but for those left out; while others are
        still at work, its heading says so. Nothing done yet, or 8 answers there: does nothing.
        DefinitionError if a template of `spec` uses a variable that nothing fills in; InputError as
        `retry`.
        """
        check_templates(spec, variables=self.workflow.variables)
        self.newest._acts.combine(spec, frozenset(left_out))

"""What tests of batches stand on: a real endpoint that counts, a workflow, and a batch to carry."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fanout.batch.worker import Worker
from fanout.batches import Batch, BatchState, NewBatch, Row, RowRecord, RowState
from fanout.engine.runtime import Runtime
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.settings import ENVIRONMENT, Settings
from fanout.store.store import Store
from fanout.types import BatchId, ModelRef

NAMES = ("joke", "story", "poem")
MODEL = ModelRef(endpoint=ENVIRONMENT, model="scripted")
WAIT_S = 60.0
"""For what takes a second where nothing else is going on."""
LOOK_S = 0.05
DEFINITION: dict[str, object] = {
    "title": "Trio",
    "branches": [
        {"id": name, "title": name.title(), "prompt": f"Write a {name} about {{topic}}."}
        for name in NAMES
    ],
    "aggregate": {"prompt": "Combine what was said of {topic}.\n{results}"},
    "policies": {"retries": {"first_wait_s": 0.01, "attempts": 2}},
}


def script(otherwise: Reply, **replies: tuple[Reply, ...]) -> Script:
    """Replies by branch name; `combine` answers the combining call."""
    prompts = {"combine": "Combine what"}
    rules = tuple(
        Rule(prompt=prompts.get(name, f"Write a {name}"), replies=some)
        for name, some in replies.items()
    )
    return Script(rules=rules, otherwise=otherwise)


QUICK = script(Reply(text="One two three."))


@dataclass(frozen=True)
class Hall:
    """An endpoint, a FANOUT_HOME and a database."""

    server: ServerHandle
    home: Path
    url: str
    store: Store

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "FANOUT_HOME": str(self.home),
            "OPENAI_API_KEY": "sk-tests",
            "OPENAI_BASE_URL": self.server.base_url,
            "FANOUT_MODEL": "scripted",
        }
        return own | ({"FANOUT_DATABASE_URL": self.url} if self.url else {})

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """A worker of this process, at a quick pace; closed at the end."""
        with self.runtime() as runtime:
            worker = Worker(runtime, look_s=LOOK_S, poll_s=LOOK_S)
            worker.start()
            try:
                yield worker
            finally:
                worker.close()

    @contextmanager
    def runtime(self) -> Iterator[Runtime]:
        with Runtime(Settings.from_environment(self.environment)) as runtime:
            assert not runtime.problems
            yield runtime

    def batch(
        self,
        rows: int,
        *,
        start: bool = True,
        definition: Mapping[str, object] = DEFINITION,
        values: Mapping[str, str] | None = None,
        **other: object,
    ) -> BatchId:
        """A batch of topics 1 to `rows`."""
        new = NewBatch(
            title="Topics",
            workflow="trio",
            definition=definition,
            **{"model": MODEL, **other},  # type: ignore[arg-type]
        )
        batch = self.store.batches.create(new, topics(rows, values))
        if start:
            self.store.batches.resume(batch)
        return batch

    def get(self, batch: BatchId) -> Batch:
        found = self.store.batches.get(batch)
        assert found is not None
        return found

    def rows(self, batch: BatchId) -> tuple[RowRecord, ...]:
        return self.store.batches.rows(batch, limit=1000)

    def states(self, batch: BatchId) -> Counter[RowState]:
        return Counter(row.state for row in self.rows(batch))

    def until(self, holds: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
        """The database tells nobody, so it is asked."""
        until = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < until, f"{what} did not happen in {timeout_s:.0f} s"
            time.sleep(LOOK_S)

    def until_state(self, batch: BatchId, state: BatchState, timeout_s: float = WAIT_S) -> None:
        def there() -> bool:
            return self.get(batch).state is state

        self.until(there, f"{state} (there are {self.states(batch)})", timeout_s)

    def until_finished(self, batch: BatchId, timeout_s: float = WAIT_S) -> None:
        self.until_state(batch, BatchState.FINISHED, timeout_s)

    def asked(self, name: str = "", topic: int | None = None) -> int:
        """How many requests the endpoint saw, of all or of one branch, of all rows or of one."""
        about = "" if topic is None else f"topic {topic}."
        return sum(name in one.prompt and about in one.prompt for one in self.server.requests)


def topics(count: int, values: Mapping[str, str] | None = None) -> list[Row]:
    return [Row(number=n, topic=f"topic {n}", values=values or {}) for n in range(1, count + 1)]


@contextmanager
def hall(home: Path, url: str, played: Script = QUICK) -> Iterator[Hall]:
    """Open all of it, with a store of its own that looks on from outside."""
    with serving(played) as server, Store.open(home, url) as store:
        yield Hall(server, home, url, store)

"""The rig that engine and kernel tests stand on: a real engine whose endpoints play scripts."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fanout.endpoint import Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.engine.handle import RunHandle
from fanout.policies import EndpointPolicy, RetryPolicy
from fanout.providers.base import Provider
from fanout.providers.script import DEMO, Reply, Rule, Script
from fanout.providers.scripted import Scripted
from fanout.relay.post import Post
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.telemetry.witness import Witnesses
from fanout.types import EndpointId, ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse

HERE = EndpointId("here")
MODEL = ModelRef(endpoint=HERE, model="m")
AT_ONCE = RetryPolicy(first_wait_s=0.01, restarts=0)
QUICK = Reply(text="One two three four.")


class Rig:
    """An engine with one scripted endpoint."""

    def __init__(self, engine: Engine, provider: Scripted) -> None:
        self.engine = engine
        self.provider = provider

    def start(self, workflow: Workflow, topic: str = "rain") -> RunHandle:
        return self.engine.start(workflow, topic, MODEL)

    def run(self, workflow: Workflow, topic: str = "rain") -> Snapshot:
        snapshot = self.start(workflow, topic).wait(timeout_s=20)
        assert snapshot.status.finished, "the run did not end in time"
        return snapshot


@contextmanager
def rig(
    script: Script = DEMO,
    *,
    slots: int = 8,
    on_this_machine: bool = False,
    store: Store | None = None,
    retries: RetryPolicy | None = AT_ONCE,
    policy: EndpointPolicy | None = None,
    witness: Witnesses | None = None,
    post: Post | None = None,
) -> Iterator[Rig]:
    """Open an engine that asks `script`; closes it and everything in it but the store.

    `retries` None leaves them to the workflow.
    """
    provider = Scripted(script)

    def make(_endpoint: Endpoint, _key: Secret | None) -> Provider:
        return provider

    book = EndpointBook(make)
    book.put(
        Endpoint(
            id=HERE,
            name="Here",
            base_url="",
            slots=slots,
            on_this_machine=on_this_machine,
            policy=policy or EndpointPolicy(),
        )
    )
    with Engine(book, retries=retries, store=store, witness=witness, post=post) as engine:
        yield Rig(engine, provider)


def trio(names: Sequence[str] = ("joke", "story", "poem"), /, **changes: object) -> Workflow:
    """A workflow whose prompts name their branch, so that a script can tell them apart."""
    data: dict[str, object] = {
        "title": "Trio",
        "branches": [
            {"id": name, "title": name.title(), "prompt": f"Write a {name} about {{topic}}."}
            for name in names
        ],
        "aggregate": {"prompt": "Combine:\n{results}", "result": "<{title}> {text}"},
    }
    return parse({**data, **changes}, name="trio")


def script(otherwise: Reply = QUICK, **replies: Reply | tuple[Reply, ...]) -> Script:
    """Replies by branch name; `combine` answers the combining call."""
    prompts = {"combine": "Combine:"}
    return Script(
        rules=tuple(
            Rule(
                prompt=prompts.get(name, f"Write a {name}"),
                replies=reply if isinstance(reply, tuple) else (reply,),
            )
            for name, reply in replies.items()
        ),
        otherwise=otherwise,
    )


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

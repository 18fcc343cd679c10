"""The fault matrix: one fault in each phase of a run, at one call, at several and at all of them.

All cells of a fault are runs of one engine against one real server, at the same time. Each has its
own endpoint, so that a pause of one says nothing about another, but they share their connections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from threading import active_count

from fanout.endpoint import Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.engine.handle import RunHandle
from fanout.policies import EndpointPolicy, RetryPolicy
from fanout.providers.base import Provider
from fanout.providers.network import Network
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Fault, Reply, Rule, Script, pieces_of
from fanout.providers.scripted_server import serving
from fanout.retrieval.library import Library
from fanout.snapshot import Branch, Snapshot
from fanout.types import EndpointId, ModelRef, Price
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from tests.faults.cases import BIG, NAME, Case, Place
from tests.faults.leaks import Leak, open_sockets, settled, tasks_of
from tests.faults.places import base_url, no_name

KEY = "sk-fault-bWF0cml4LWtleS0xMjM0NTY"
TEXT = "storks on the ridge in spring"
SCORES = '{"reason": "It is clear.", "clarity": 4}'
PRICE = Price(input=Decimal(1), output=Decimal(2), source="test")
RETRIES = RetryPolicy(attempts=2, first_wait_s=0.01)
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run: `hit` of the calls of a phase meet the fault."""

    phase: str
    hit: int
    of: int
    passes: bool = False
    """Whether the fault is over after one attempt."""

    @property
    def id(self) -> str:
        return f"{self.phase}-{self.hit}-of-{self.of}{'-passing' if self.passes else ''}"

    @property
    def names(self) -> tuple[str, ...]:
        """The branches of the run."""
        return tuple(f"p{n}" for n in range(1, (self.of if self.phase != "aggregate" else 2) + 1))

    @property
    def faulty(self) -> tuple[str, ...]:
        """The calls that meet the fault."""
        return ("aggregate",) if self.phase == "aggregate" else self.names[: self.hit]

    @property
    def text(self) -> str:
        return SCORES if self.phase == "ballots" else TEXT


CELLS = (
    *(Cell(phase="queries", hit=hit, of=4) for hit in (1, 2, 4)),
    *(Cell(phase="branches", hit=hit, of=4) for hit in (1, 2, 4)),
    *(Cell(phase="ballots", hit=hit, of=3) for hit in (1, 2, 3)),
    Cell(phase="aggregate", hit=1, of=1),
)
ONCE = Cell(phase="branches", hit=1, of=4, passes=True)


def cells(case: Case) -> tuple[Cell, ...]:
    return (*CELLS, ONCE) if case.passes else CELLS


def sent(case: Case, cell: Cell) -> str:
    """The text that a call which meets the fault would write."""
    if case.reply.piece_chars:
        return (TEXT + " and ") * (BIG // len(TEXT + " and "))
    return cell.text


def arrives(case: Case, cell: Cell) -> str:
    """What of it comes back, whole or before a break."""
    text = sent(case, cell)
    if case.kind is not None:
        return "".join(pieces_of(text)[: case.reply.fault_after]) if case.keeps else ""
    if case.reply.fault is Fault.DUPLICATED:
        return "".join(piece + piece for piece in pieces_of(text))
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What became of one fault."""

    runs: Mapping[Cell, RunHandle]
    asked: Mapping[tuple[Cell, str], int]
    """Requests that the server saw, by call."""
    tasks: Leak
    threads: Leak
    sockets: Leak
    in_flight: int
    """Calls that a gate still counts, or keeps waiting."""
    connections: int
    """Connections that the server still has once the clients are closed."""

    def snapshot(self, cell: Cell) -> Snapshot:
        return self.runs[cell].snapshot

    def call(self, cell: Cell, name: str) -> Branch:
        return next(call for call in self.snapshot(cell).calls if call.id == name)


def observe(case: Case, library: Library, folder: Path) -> Observed:
    """Run all cells of a fault at once, to their ends, and count what they leave behind."""
    threads, sockets = active_count(), open_sockets()
    with serving(_script(case)) as server, base_url(case.place, server, folder) as url:
        with _engine(case, server.base_url, url, library) as engine:
            tasks = engine.call(tasks_of)
            runs = {cell: _start(engine, case, cell) for cell in cells(case)}
            for cell, handle in runs.items():
                if not handle.wait(TIMEOUT_S).status.finished:
                    raise AssertionError(f"{cell.id} did not end")
            settled(lambda: engine.call(tasks_of) == tasks)
            after = engine.call(tasks_of)
            health = engine.endpoints.health()
            engine.call(engine.endpoints.aclose)
            server.wait_until(lambda seen: not (seen.in_flight or seen.open_connections))
        left = server.in_flight + server.open_connections
        asked = {
            (cell, name): sum(_mark(cell, name) in one.prompt for one in server.requests)
            for cell in runs
            for name in cell.faulty
        }
    settled(lambda: active_count() <= threads and open_sockets() <= sockets)
    return Observed(
        runs=runs,
        asked=asked,
        tasks=Leak(before=tasks, after=after),
        threads=Leak(before=threads, after=active_count()),
        sockets=Leak(before=sockets, after=open_sockets()),
        in_flight=sum(one.in_flight + one.waiting for one in health),
        connections=left,
    )


def _start(engine: Engine, case: Case, cell: Cell) -> RunHandle:
    model = ModelRef(endpoint=EndpointId(cell.id), model="m")
    return engine.start(workflow(case, cell), cell.id, model)


def workflow(case: Case, cell: Cell) -> Workflow:
    """The run of a cell; its prompts say whose they are, so that the script can tell."""
    bad = f"{cell.id}-bad/m" if _elsewhere(case) else ""
    branches: list[dict[str, object]] = [
        {
            "id": name,
            "title": name.upper(),
            "prompt": _prompt(cell, name),
            "model": bad if name in cell.faulty else "",
        }
        for name in cell.names
    ]
    data: dict[str, object] = {"title": "Matrix", "branches": branches}
    data["deadlines"] = dict(case.deadlines)
    match cell.phase:
        case "queries":
            data["kind"] = "research"
            data["aggregate"] = {"kind": "cited", "prompt": "{results}\n\nAnswer: {topic}"}
        case "ballots":
            data["kind"] = "judges"
            data["rubric"] = [{"id": "clarity", "title": "Clarity"}]
            data["aggregate"] = {"kind": "scores", "title": "Judgement"}
        case _:
            hit = cell.phase == "aggregate"
            prompt = f"{_prompt(cell, 'aggregate')}\n{{results}}"
            data["aggregate"] = {"prompt": prompt, "model": bad if hit else ""}
    return parse(data, name="matrix")


def _mark(cell: Cell, name: str) -> str:
    return f"This is call {name} of {cell.id}."


def _prompt(cell: Cell, name: str) -> str:
    more = "{rubric}\n{task}\n{content}" if cell.phase == "ballots" else "Write about {topic}."
    return f"{_mark(cell, name)} {more}"


def _script(case: Case) -> Script:
    rules = []
    for cell in cells(case):
        fine = Reply(text=cell.text)
        bad = replace(case.reply, text=sent(case, cell))
        replies = (bad, fine) if cell.passes else (bad,)
        rules += [Rule(prompt=_mark(cell, name), replies=replies) for name in cell.faulty]
    rules.append(Rule(prompt=" of ballots-", replies=(Reply(text=SCORES),)))
    return Script(rules=tuple(rules), otherwise=Reply(text=TEXT))


def _elsewhere(case: Case) -> bool:
    """Whether calls that meet the fault ask another endpoint than the others."""
    return case.place is not Place.SERVER or case.first_token_s is not None


@contextmanager
def _engine(case: Case, good: str, bad: str, library: Library) -> Iterator[Engine]:
    clients: dict[str, Provider] = {}

    def make(endpoint: Endpoint, key: Secret | None) -> Provider:
        url = endpoint.base_url
        if url not in clients:
            unknown = case.place is Place.NO_NAME and url == bad
            network = Network(resolve=no_name) if unknown else None
            clients[url] = OpenAICompatible(endpoint, key, network)
        return clients[url]

    book = EndpointBook(make)
    for cell in cells(case):
        for suffix, url in (("", good), ("-bad", bad)):
            policy = EndpointPolicy(circuit_failures=0)
            if suffix:
                policy = replace(policy, first_token_s=case.first_token_s)
            here = Endpoint(
                id=EndpointId(cell.id + suffix),
                name=NAME,
                base_url=url,
                policy=policy,
                prices={"*": PRICE},
            )
            book.put(here, Secret(KEY))
    with Engine(book, retries=RETRIES, library=lambda: library) as engine:
        yield engine

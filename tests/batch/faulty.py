"""An endpoint that does everything wrong, each thing to one request in twenty, and what it did.

Which request meets which fault is drawn from a seed, the row, the call and how often it was asked,
so the same seed does the same in any order and on any machine.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from fanout.batches import RowState
from fanout.providers.script import Fault, Reply, Rule, Script, improvised, pieces_of
from fanout.providers.scripted_app import SeenRequest
from fanout.types import EndpointId, FailureKind, ModelRef
from tests.batch.hall import DEFINITION, NAMES

SHARE = 0.05
TURNS = 40
"""Replies of a call; none is asked more often."""
GOOD = Reply()
FAULTS: Mapping[str, tuple[Reply, FailureKind | None]] = {
    "429": (Reply(status=429), FailureKind.RATE_LIMIT),
    "429 with Retry-After": (Reply(status=429, retry_after="0.05"), FailureKind.RATE_LIMIT),
    "500": (Reply(status=500), FailureKind.SERVER),
    "502 with a page": (Reply(status=502, fault=Fault.HTML_PAGE), FailureKind.SERVER),
    "reset": (Reply(fault=Fault.RESET), FailureKind.CONNECTION),
    "no finish_reason": (Reply(fault=Fault.NO_FINISH), FailureKind.TRUNCATED),
    "malformed chunk": (Reply(fault=Fault.BAD_JSON), FailureKind.BAD_RESPONSE),
    "stall": (Reply(fault=Fault.STALL_MIDWAY), FailureKind.TIMEOUT_IDLE),
    "empty": (Reply(fault=Fault.EMPTY), FailureKind.EMPTY),
    "slow first token": (Reply(first_token_s=0.3), None),
    "no usage": (Reply(fault=Fault.NO_USAGE), None),
    "twice": (Reply(fault=Fault.DUPLICATED), None),
}
"""By name: what the endpoint does, and the failure that it has to be told as; None answers."""
REFUSAL = Reply(fault=Fault.REFUSAL)
FILTER = Reply(fault=Fault.CONTENT_FILTER)
REFUSED: Mapping[int, tuple[str, Reply]] = {
    3: ("joke", REFUSAL),
    11: ("poem", FILTER),
    17: ("combine", REFUSAL),
}
"""Row to the call that is refused, however often it is asked."""
BILLED_WHOLE = frozenset({"good", "slow first token", "twice", "empty", "refused"})
"""The endpoint reports the tokens of these."""
UNBILLED = frozenset({"429", "429 with Retry-After", "500", "502 with a page", "reset"})
"""Of these it says nothing, and there is nothing."""
CALLS = (*NAMES, "combine")
ASKED = {name: f"Write a {name} about topic {{}}." for name in NAMES} | {
    "combine": "Combine what was said of topic {}."
}
WORKFLOW: dict[str, object] = DEFINITION | {
    # The topic ends a line, so that "topic 1" and "topic 12" are told apart.
    "aggregate": {"prompt": "Combine what was said of {topic}.\n{results}"},
    "policies": {"retries": {"first_wait_s": 0.01, "attempts": 6, "restarts": 2}},
}
ANSWER = "All three say of topic {} that it is worth a second look, and that much is true."
IN_USD, OUT_USD = Decimal("0.15"), Decimal("0.60")
"""For a million tokens."""
MODEL = ModelRef(endpoint=EndpointId("faulty"), model="scripted")
_CALL = re.compile(r"(?:Write a (\w+) about|(Combine) what was said of) topic (\d+)\.")


def script(rows: int, seed: int | None) -> Script:
    """Of an endpoint that meets `rows` topics; without a seed it only refuses what it refuses."""
    rules = [
        Rule(prompt=ASKED[call].format(row), replies=_replies(row, call, seed))
        for row in range(1, rows + 1)
        for call in reversed(CALLS)
    ]
    return Script(rules=tuple(rules))


def priced(home: Path, base_url: str, name: str = "faulty", slots: int = 40) -> None:
    """Keep the endpoint in FANOUT_HOME with a price, as the Models page does."""
    home.mkdir(parents=True, exist_ok=True)
    of = {
        "id": name,
        "name": "Acme",
        "base_url": base_url,
        "slots": slots,
        "on_this_machine": False,
        "default_model": "scripted",
        "prices": {"*": [str(IN_USD), str(OUT_USD)]},
    }
    (home / "endpoints.json").write_text(json.dumps([of]), "utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One request, and what the endpoint did with it."""

    fault: str
    """A name of FAULTS, or "good", or "refused"."""
    input: int
    output: int
    """Tokens as the endpoint counts them; what it had sent, where it broke off."""


class Done:
    """What the endpoint did, request by request."""

    def __init__(self, requests: tuple[SeenRequest, ...], seed: int | None) -> None:
        self._given: dict[tuple[int, str], list[Given]] = {}
        self._newest: dict[int, str] = {}
        drawn: dict[tuple[int, str], Iterator[str]] = {}
        for request in requests:
            row, call = asked(request.prompt)
            if (row, call) not in drawn:
                drawn[row, call] = iter(_drawn(row, call, seed))
            fault = next(drawn[row, call])
            if call == "combine":
                self._newest[row] = request.prompt
            self._given.setdefault((row, call), []).append(_given(fault, row, call, request.prompt))

    def to(self, row: int, call: str) -> list[Given]:
        """Of one call, in the order in which it was asked."""
        return self._given.get((row, call), [])

    def to_row(self, row: int) -> list[Given]:
        return [one for call in CALLS for one in self.to(row, call)]

    def newest(self, row: int) -> str:
        """What was last asked of the combining call."""
        return self._newest.get(row, "")

    @property
    def counted(self) -> Counter[str]:
        """How often it did each thing."""
        return Counter(one.fault for some in self._given.values() for one in some)


def asked(prompt: str) -> tuple[int, str]:
    """Row and call that a prompt is of."""
    found = _CALL.search(prompt)
    assert found is not None, f"whose is {prompt[:80]!r}?"
    return int(found[3]), found[1] or "combine"


def known(row: int, call: str) -> bool:
    """Whether its text is ANSWER, and not made up from its prompt."""
    return call == "combine" or refused(row, call)


def refused(row: int, call: str) -> bool:
    return row in REFUSED and REFUSED[row][0] == call


def text(row: int, call: str) -> str:
    """What is answered where nothing goes wrong."""
    return ANSWER.format(row) if known(row, call) else improvised(ASKED[call].format(row))


def state(row: int) -> RowState:
    """How the row ends where nothing goes wrong but what is refused."""
    return RowState.PARTIAL if row in REFUSED else RowState.SUCCEEDED


def kind_of(fault: str) -> FailureKind | None:
    """As what it has to be told."""
    if fault == "refused":
        return FailureKind.REFUSED
    return FAULTS[fault][1] if fault in FAULTS else None


def usd(input_tokens: int, output_tokens: int) -> Decimal:
    return (input_tokens * IN_USD + output_tokens * OUT_USD) / 1_000_000


def _drawn(row: int, call: str, seed: int | None) -> list[str]:
    if refused(row, call) or seed is None:
        return ["refused" if refused(row, call) else "good"] * TURNS
    dice = random.Random(f"{seed} {row} {call}")
    names = list(FAULTS)
    shots = (int(dice.random() / SHARE) for _ in range(TURNS - 1))
    return [*(names[shot] if shot < len(names) else "good" for shot in shots), "good"]


def _replies(row: int, call: str, seed: int | None) -> tuple[Reply, ...]:
    if refused(row, call):
        return (replace(REFUSED[row][1], text=ANSWER.format(row)),)
    names = _drawn(row, call, seed)
    replies = (GOOD if name == "good" else FAULTS[name][0] for name in names)
    # What is combined is marked with signs that nobody can guess, so it differs from run to run.
    said = ANSWER.format(row) if known(row, call) else None
    return tuple(replace(reply, text=said) for reply in replies)


def _given(fault: str, row: int, call: str, prompt: str) -> Given:
    if fault in UNBILLED:
        return Given(fault=fault, input=0, output=0)
    written = pieces_of(text(row, call))
    broken = fault in ("no finish_reason", "malformed chunk", "stall")
    output = Reply().fault_after if broken else len(written)
    return Given(fault=fault, input=len(pieces_of(prompt)), output=output)

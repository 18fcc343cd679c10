"""What one person may have holds over three processes that are pressed in the same moment."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from fanout.engine.engine import BEGUN_S
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.store.store import Store
from fanout.store.turns import WAIT_MS
from tests.processes.waiting import until

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 3
ADA = "a" * 32
ENDLESS = Script(otherwise=Reply(text="word " * 4000, tokens_per_s=20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of all processes together."""

    begun: list[str]
    refused: list[str]


@pytest.fixture
def endpoint() -> Iterator[ServerHandle]:
    with serving(ENDLESS) as server:
        yield server


@contextlib.contextmanager
def pressed(
    folder: Path,
    environment: Mapping[str, str],
    *,
    runs: int,
    max_tokens: int = 100,
    per_minute: int | None = None,
) -> Iterator[Outcome]:
    """What came of pressing Run so many times in each of three processes, while they go on."""
    command = [sys.executable, "-m", "tests.processes.peer", ADA, str(runs), str(max_tokens)]
    command += [str(per_minute)] if per_minute else []
    with contextlib.ExitStack() as stack:
        peers = []
        for number in range(PROCESSES):
            home = {"FANOUT_HOME": str(folder / f"home{number}")}
            peer = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment, **home},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(ended, peer)
            peers.append(peer)
        for peer in peers:
            assert peer.stdout is not None and peer.stdout.readline() == "ready\n"
        for peer in peers:
            assert peer.stdin is not None
            peer.stdin.write("go\n")
            peer.stdin.flush()
        told = [json.loads(peer.stdout.readline()) for peer in peers if peer.stdout is not None]
        yield Outcome(
            begun=[run for one in told for run in one["begun"]],
            refused=[why for one in told for why in one["refused"]],
        )


def ended(peer: subprocess.Popen[str]) -> None:
    assert peer.stdin is not None and peer.stdout is not None
    peer.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        peer.wait(15)
    peer.kill()
    peer.stdout.close()
    peer.wait(5)


@pytest.fixture
def environment(endpoint: ServerHandle, postgres_url: str) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": endpoint.base_url,
        "FANOUT_MODEL": "scripted",
        "FANOUT_DATABASE_URL": postgres_url,
        "FANOUT_SHARED": "1",
    }


def test_nobody_gets_more_runs_by_pressing_in_three_processes_at_once(
    tmp_path: Path, environment: dict[str, str], endpoint: ServerHandle, postgres_url: str
) -> None:
    environment["FANOUT_MAX_RUNS_PER_PERSON"] = "4"
    with pressed(tmp_path, environment, runs=4) as outcome:
        assert len(outcome.begun) == 4
        assert len(outcome.refused) == 8
        assert all("FANOUT_MAX_RUNS_PER_PERSON" in why for why in outcome.refused)
        with Store.open(tmp_path / "looking", postgres_url) as store:
            assert all(store.load(run) is not None for run in outcome.begun)


def test_a_turn_is_waited_for_longer_than_two_others_may_hold_it() -> None:
    assert WAIT_MS / 1000 > (PROCESSES - 1) * BEGUN_S


def test_runs_of_an_hour_are_counted_over_all_processes(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["FANOUT_PERSON_RUNS_PER_HOUR"] = "5"
    environment["FANOUT_MAX_RUNS_PER_PERSON"] = "100"
    with pressed(tmp_path, environment, runs=3) as outcome:
        assert len(outcome.begun) == 5
        assert all("FANOUT_PERSON_RUNS_PER_HOUR" in why for why in outcome.refused)


def test_a_persons_budget_is_one_for_all_processes(
    tmp_path: Path, environment: dict[str, str], endpoint: ServerHandle
) -> None:
    """Each call may take 1,000 tokens and its prompt, so that at most five of the twelve fit."""
    environment["FANOUT_PERSON_DAY_TOKENS"] = "5900"
    environment["FANOUT_MAX_RUNS_PER_PERSON"] = "100"
    with pressed(tmp_path, environment, runs=2, max_tokens=1000) as outcome:
        assert len(outcome.begun) == 6
        until(lambda: len(endpoint.requests) >= 2)
        # Those that don't fit wait for what the others may leave; none of them is ever sent.
        assert not endpoint.wait_until(lambda seen: len(seen.requests) > 5, timeout_s=1.0)


def test_the_rate_of_an_endpoint_is_one_for_all_processes(
    tmp_path: Path, environment: dict[str, str], endpoint: ServerHandle
) -> None:
    environment["FANOUT_MAX_RUNS_PER_PERSON"] = "100"
    with pressed(tmp_path, environment, runs=2, per_minute=6) as outcome:
        assert len(outcome.begun) == 6
        until(lambda: bool(endpoint.requests))
        # Twelve calls are ready; a minute's worth may go at once or spread, but never more.
        assert not endpoint.wait_until(lambda seen: len(seen.requests) > 6, timeout_s=2.0)

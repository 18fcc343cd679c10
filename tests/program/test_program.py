"""Fanout as a library: results, failures as values, streams, sessions, and what is public."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import anyio
import pytest

import fanout
from fanout.program.session import _environment
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from fanout.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
SLOW = Reply(text="word " * 400, tokens_per_s=40)


def script(**replies: Reply) -> Script:
    return Script(
        rules=tuple(Rule(prompt=word, replies=(reply,)) for word, reply in replies.items()),
        otherwise=Reply(text="Fine words."),
    )


def pair(**changes: object) -> fanout.Workflow:
    return fanout.parse(
        {
            "title": "Pair",
            "branches": [
                {"id": "left", "title": "Left", "prompt": "LEFT {topic}"},
                {"id": "right", "title": "Right", "prompt": "RIGHT {topic}"},
            ],
            "aggregate": {"prompt": "{results}"},
            "policies": {"retries": {"attempts": 1}},
            **changes,
        },
        name="pair",
    )


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_run_is_awaited_under_either_event_loop(backend: str) -> None:
    with serving(script(LEFT=Reply(text="On the left."))) as server:

        async def main() -> fanout.Result:
            return await fanout.run(pair(), topic="rain", endpoint=server.base_url, model="m")

        result = anyio.run(main, backend=backend)
    assert result.status is fanout.RunStatus.SUCCEEDED
    assert result.branches["left"].text == "On the left."
    assert result.text == "Fine words."
    assert result.record()["status"] == "succeeded"


def test_a_failed_branch_is_a_value_and_the_rest_is_there() -> None:
    with serving(script(LEFT=Reply(status=401, message="No."))) as server:
        result = fanout.run_sync(pair(), topic="rain", endpoint=server.base_url, model="m")
    assert result.status is fanout.RunStatus.PARTIAL
    failure = result.branches["left"].failure
    assert failure is not None and failure.kind is fanout.FailureKind.AUTH
    assert result.failure == failure
    assert "Left failed" in result.heading
    assert result.branches["right"].text == "Fine words."


def test_what_can_t_begin_is_raised() -> None:
    with serving() as server:
        for topic, workflow in (("", pair()), ("rain", "no-such-workflow")):
            with pytest.raises(fanout.InputError):
                fanout.run_sync(workflow, topic=topic, endpoint=server.base_url, model="m")
    with pytest.raises(fanout.SettingsError):
        fanout.run_sync(pair(), topic="rain", endpoint="no address")
    with pytest.raises(fanout.DefinitionError):
        pair(branches=[])


def test_events_come_in_order_and_again_for_who_asks_again() -> None:
    with serving() as server:

        async def main() -> tuple[list[fanout.Event], list[fanout.Event]]:
            async with fanout.stream(
                pair(), topic="rain", endpoint=server.base_url, model="m"
            ) as live:
                first = [event async for event in live]
                return first, [event async for event in live]

        first, again = anyio.run(main)
    assert isinstance(first[0], fanout.RunStarted) and isinstance(first[-1], fanout.RunFinished)
    assert first == again


def test_leaving_the_block_stops_the_run_and_hangs_up() -> None:
    with serving(script(LEFT=SLOW, RIGHT=SLOW)) as server:

        async def main() -> fanout.RunStatus:
            async with fanout.Session(endpoint=server.base_url, model="m") as session:
                async with session.stream(pair(), topic="rain") as live:
                    async for event in live:
                        if isinstance(event, fanout.BranchWrote):
                            break
                return live.snapshot.status

        assert anyio.run(main) is fanout.RunStatus.STOPPED
        assert server.wait_until(lambda seen: seen.in_flight == 0)


def test_a_cancelled_await_stops_the_run() -> None:
    with serving(script(LEFT=SLOW, RIGHT=SLOW)) as server:

        async def main() -> float:
            async with fanout.Session(endpoint=server.base_url, model="m") as session:
                began = anyio.current_time()
                with anyio.move_on_after(0.5):
                    await session.run(pair(), topic="rain")
                return anyio.current_time() - began

        assert anyio.run(main) < 6


def test_runs_are_kept_where_a_home_is_given(tmp_path: Path) -> None:
    with serving() as server:
        result = fanout.run_sync(
            pair(), topic="rain", endpoint=server.base_url, model="m", home=tmp_path / "kept"
        )
    with Store.open(tmp_path / "kept") as store:
        stored = store.load(result.run_id)
    assert stored is not None and stored.snapshot.topic == "rain"


def test_a_key_of_the_environment_goes_to_no_other_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-others-0123456789")
    with serving() as server:
        fanout.run_sync(pair(), topic="rain", endpoint=server.base_url, model="m")
        assert not any("sk-not" in str(call) for call in server.requests)
        fanout.run_sync(pair(), topic="x", endpoint=server.base_url, model="m", api_key="sk-own")
        assert any("sk-own" in str(call) for call in server.requests)
    assert "OPENAI_API_KEY" not in _environment("bundled", "", None)


def test_every_public_name_is_where_it_is_said_to_be_and_typed() -> None:
    told = (ROOT / "fanout" / "__init__.pyi").read_text("utf-8")
    for name, module in vars(fanout)["_HOMES"].items():
        assert getattr(fanout, name) is getattr(import_module(module), name)
        assert f'"{name}"' in told
    with pytest.raises(AttributeError, match="no attribute 'runs'"):
        _ = fanout.runs  # type: ignore[attr-defined]


def test_importing_it_loads_nothing() -> None:
    code = (
        "import fanout, sys; print('openai' in sys.modules, 'fanout.engine.engine' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.split() == ["False", "False"]


def test_what_is_installed_as_a_library_brings_its_workflows_along(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    ran = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "setup.py",
            "-q",
            "build_py",
            "--build-lib",
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    code = "import fanout; print(*(w.name for w in fanout.shipped().workflows))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert set(ran.stdout.split()) == {path.stem for path in (ROOT / "workflows").glob("*.toml")}
    assert (tmp_path / "fanout" / "py.typed").exists()
    assert (tmp_path / "fanout" / "shipped" / "board" / "board.js").exists()

"""`python -m fanout` as a user meets it: its output, its exit status, its messages."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen

import pytest

from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from tests import command_line
from tests.rig import free_port

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-cli-secret-0123456789"


def fanout(*arguments: str, text: str = "") -> CompletedProcess[str]:
    return command_line.fanout(*arguments, text=text, environment={"OPENAI_API_KEY": KEY})


def process(*arguments: str) -> Popen[str]:
    """For what a process alone can show."""
    return Popen(
        [sys.executable, "-m", "fanout", *arguments],
        cwd=ROOT,
        env={**os.environ, "OPENAI_API_KEY": KEY},
        stdout=PIPE,
        stderr=PIPE,
        text=True,
    )


def run_args(server: ServerHandle, *more: str) -> Sequence[str]:
    return (
        "run",
        "creative-trio",
        "--topic",
        "remote work",
        "--base-url",
        server.base_url,
        "--model",
        "scripted",
        *more,
    )


def rules(**replies: Reply) -> Script:
    """Replies by a word of the branch's prompt."""
    return Script(
        rules=tuple(Rule(prompt=word, replies=(reply,)) for word, reply in replies.items()),
        otherwise=Reply(text="Fine words."),
    )


def test_json_prints_one_object_and_a_success_exits_zero() -> None:
    with serving(rules()) as server:
        done = fanout(*run_args(server, "--json"))
        keys = [request.headers.get("authorization") for request in server.requests]
    record = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert record["status"] == "succeeded"
    assert [branch["id"] for branch in record["branches"]] == ["joke", "story", "poem"]
    assert record["aggregate"]["heading"] == "Synthesis of 3 of 3"
    assert keys == [f"Bearer {KEY}"] * 4
    assert KEY not in done.stdout + done.stderr


def test_a_partial_runs_status_is_that_of_its_process() -> None:
    with serving(rules(poem=Reply(status=401))) as server:
        run = process(*run_args(server, "--json"))
        out, errors = run.communicate(timeout=60)
    assert (run.returncode, json.loads(out)["status"]) == (3, "partial"), errors
    assert KEY not in out + errors


def test_events_prints_one_event_per_line_from_start_to_finish() -> None:
    with serving(rules()) as server:
        done = fanout(*run_args(server, "--events"))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[-1] == {**events[-1], "event": "run_finished", "status": "succeeded"}
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert KEY not in done.stdout


def test_a_run_for_people_shows_every_text_and_the_headline() -> None:
    with serving(rules()) as server:
        done = fanout(*run_args(server))
    assert "## Joke\n\nFine words." in done.stdout
    assert "## Synthesis of 3 of 3" in done.stdout
    assert "instead of" in done.stdout and "cost unknown" in done.stdout


def test_a_partial_run_exits_three_and_names_what_failed() -> None:
    first = Script(
        rules=(Rule(prompt="poem", replies=(Reply(status=401),)),),
        otherwise=Reply(text="Fine words."),
    )
    with serving(first) as server:
        done = fanout(*run_args(server, "--json"))
    record = json.loads(done.stdout)
    assert (done.returncode, record["status"]) == (3, "partial")
    assert record["branches"][2]["failure"]["kind"] == "auth"
    assert record["aggregate"]["heading"] == "Synthesis of 2 of 3: Poem failed"


def test_a_failed_run_exits_one() -> None:
    with serving(Script(otherwise=Reply(status=401))) as server:
        done = fanout(*run_args(server, "--json"))
    record = json.loads(done.stdout)
    assert (done.returncode, record["status"], record["aggregate"]) == (1, "failed", None)


def test_ctrl_c_stops_the_run_keeps_its_text_and_exits_130() -> None:
    with serving(Script(otherwise=Reply(text="word " * 500, tokens_per_s=50))) as server:
        run = process(*run_args(server, "--events"))
        assert run.stdout is not None
        lines = []
        for line in run.stdout:
            lines.append(line)
            if '"branch_wrote"' in line:
                run.send_signal(signal.SIGINT)
                break
        rest, _ = run.communicate(timeout=20)
        assert server.wait_until(lambda s: s.disconnects == 3), "the connections stayed open"
    last = json.loads((lines + rest.splitlines())[-1])
    assert (run.returncode, last["status"]) == (130, "stopped")


def test_max_tokens_reaches_every_call() -> None:
    with serving(rules()) as server:
        fanout(*run_args(server, "--max-tokens", "17", "--json"))
        limits = [request.body.get("max_tokens") for request in server.requests]
    assert limits == [17] * 4


def test_the_topic_can_come_from_standard_input() -> None:
    with serving(rules()) as server:
        arguments = [a if a != "remote work" else "-" for a in run_args(server, "--json")]
        done = fanout(*arguments, text="from a pipe\n")
    assert json.loads(done.stdout)["topic"] == "from a pipe"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nonsense", "--topic", "x"), 'no workflow "nonsense"'),
        (("run", "creative-trio", "--topic", "  "), "There is no topic yet"),
        (("run", "creative-trio", "--topic", "x", "--base-url", "nowhere"), "--base-url"),
        (("run", "gone.toml", "--topic", "x"), "gone.toml"),
        (("run", "creative-trio"), "--topic"),
        (("run", "creative-trio", "--topic", "x", "--max-tokens", "0"), "not a positive number"),
        (("run", "creative-trio", "--topic", "x", "--json", "--events"), "not allowed with"),
        ((), "COMMAND"),
    ],
)
def test_wrong_use_exits_two_with_one_clear_message(arguments: tuple[str, ...], words: str) -> None:
    done = fanout(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_at_the_base_url_is_a_failure_in_words() -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    done = fanout(
        "run", "creative-trio", "--topic", "x", "--base-url", url, "--model", "m", "--json"
    )
    record = json.loads(done.stdout)
    assert done.returncode == 1
    assert {branch["failure"]["kind"] for branch in record["branches"]} == {"connection"}


def test_without_a_model_name_the_endpoints_first_one_is_asked() -> None:
    with serving(Script(models=("first", "second"), otherwise=Reply(text="Fine."))) as server:
        fanout("run", "creative-trio", "--topic", "x", "--base-url", server.base_url, "--json")
        assert {request.model for request in server.requests} == {"first"}


def test_a_stream_cut_off_is_a_truncated_failure() -> None:
    with serving(Script(otherwise=Reply(text="a b c d e f", fault=Fault.NO_FINISH))) as server:
        done = fanout(*run_args(server, "--json"))
    assert {b["failure"]["kind"] for b in json.loads(done.stdout)["branches"]} == {"truncated"}


def test_the_workflows_are_listed() -> None:
    done = fanout("workflows")
    assert done.returncode == 0
    for name in ("creative-trio", "perspectives", "review", "report", "questions"):
        assert name in done.stdout
    assert len(json.loads(fanout("workflows", "--json").stdout)) >= 5

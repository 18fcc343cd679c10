"""`python -m fanout batch`, `batches` and `worker`: real files, a real endpoint, real processes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tests import command_line
from tests.cli.batch_desk import KEY, ROOT, desk, refused
from tests.rig import free_port


def test_a_file_is_carried_out_with_its_columns_in_the_prompts(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        file = here.file("id,topic,tone\n1,rain,stern\n2,,x\n3,fog,\n4,rain,stern\n")
        done = here.batch(file)
        rows, listed = here.rows(), here.fanout("batches")
        asked = here.asked()
    assert done.returncode == 0, done.stderr
    assert asked == {
        f"As {title} on {rest}.": 1
        for title in ("One", "Two")
        for rest in ("rain, stern", "fog, calm")
    }
    assert "topics.csv: 4 rows, 3 columns" in done.stderr
    assert "1 repeated (row 4)" in done.stderr
    assert "1 without a topic (row 2)" in done.stderr
    assert '{tone} is filled from "tone"' in done.stderr
    assert "| As One on rain, stern." in done.stderr
    assert "2 rows: 4 calls" in done.stderr
    assert "2 of 2 rows" in done.stdout
    assert [row["state"] for row in rows] == ["succeeded", "skipped", "succeeded", "skipped"]
    assert "Fine words." in str(rows[0]["answer"])
    assert rows[0]["values"] == {"id": "1", "topic": "rain", "tone": "stern"}
    assert "topics.csv" in listed.stdout and "finished" in listed.stdout


def test_what_failed_is_told_by_cause_and_asked_again_alone(tmp_path: Path) -> None:
    with desk(tmp_path, refused("on fog")) as here:
        done = here.batch("-", text="rain\nfog\n")
        first = here.status()
        before = here.asked()
        again = here.fanout("batch", "--retry-failed", "last")
        after = here.asked()
    assert done.returncode == 3
    assert first["rows"]["failed"] == 1  # type: ignore[index]
    assert "1 row: " in done.stdout and "row 2" in done.stdout
    assert again.returncode == 3
    assert "1 row is asked again, for what it lacks" in again.stderr
    more = after - before
    assert more and all("fog" in prompt for prompt in more)


def test_asking_what_failed_again_starts_nothing_else_of_a_stopped_batch(tmp_path: Path) -> None:
    with desk(tmp_path, refused("on fog")) as here:
        here.batch("-", text="fog\n")
        made = here.fanout("batch", "--add", "last", "--detach", "-", text="rain\nsnow\n")
        here.fanout("batch", "--stop", "last")
        before = here.asked()
        again = here.fanout("batch", "--retry-failed", "last")
        more = here.fanout("batch", "--add", "last", "-", text="hail\n")
        after, status = here.asked(), here.status()
    assert made.returncode == 0, made.stderr
    assert "2 rows: 4 calls" in made.stderr and "Time: " in made.stderr
    for done in (again, more):
        assert done.returncode == 130, done.stderr
    assert "1 row is asked again, for what it lacks" in again.stderr
    assert "The batch is stopped, so it waits." in again.stderr
    assert "goes on with it and with 2 others." in again.stderr
    assert "goes on with it and with 3 others." in more.stderr
    assert (status["state"], status["left"], after) == ("stopped", 4, before)


def test_where_no_row_succeeds_the_status_says_so(tmp_path: Path) -> None:
    with desk(tmp_path, refused("")) as here:
        done = here.batch("-", "--json", text="rain\nfog\n")
    assert done.returncode == 1
    record = json.loads(done.stdout)
    assert record["rows"]["failed"] == 2
    assert record["failures"][0]["count"] == 2
    assert record["estimate"]["calls"] == 4


def test_a_trial_holds_the_others_back_until_somebody_goes_on(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        tried = here.batch("-", "--trial", text="".join(f"topic {n}\n" for n in range(6)))
        asked = here.asked()
        rest = here.fanout("batch", "--resume", "last")
        rows = here.rows()
        total = here.asked()
    assert tried.returncode == 0, tried.stderr
    assert sum(asked.values()) == 6, "three rows of two branches"
    assert "from the 3 rows of the trial" in tried.stderr
    assert "3 rows are held back" in tried.stderr
    assert rest.returncode == 0, rest.stderr
    assert {row["state"] for row in rows} == {"succeeded"}
    assert set(total.values()) == {1}


def test_rows_that_are_added_are_carried_out_and_repeat_none(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.batch(here.file("topic,tone\nrain,x\n"))
        added = here.fanout(
            "batch", here.file("topic,tone\nrain,x\nfog,y\n", "b.csv"), "--add", "last"
        )
        rows = here.rows()
    assert added.returncode == 0, added.stderr
    assert "1 row is added" in added.stderr
    assert [(row["number"], row["topic"], row["state"]) for row in rows] == [
        (1, "rain", "succeeded"), (2, "rain", "skipped"), (3, "fog", "succeeded"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("batch",), "Name the FILE"),
        (("batch", "no.csv"), "--workflow"),
        (("batch", "no.csv", "--workflow", "creative-trio"), "can't be read"),
        (("batch", "no.csv", "--workflow", "none"), 'no workflow "none"'),
        (("batch", "-", "--workflow", "creative-trio"), "is empty"),
        (("batch", "--resume", "none"), "no batch none"),
        (("batch", "--status", "last"), "no batches yet"),
        (("batch", "x.csv", "--resume", "last"), "takes no FILE"),
        (("batch", "x.csv", "--pause", "last"), "takes no FILE"),
        (("batch", "--pause", "a", "--stop", "b"), "not allowed with"),
        (("batch", "x", "--var", "tone"), "is not COLUMN=NAME"),
        (("batch", "x", "--concurrency", "0"), "not a positive number"),
        (("batch", "x", "--via", "pigeon"), "invalid"),
    ],
)
def test_wrong_use_is_told_and_starts_nothing(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    environment = {"FANOUT_HOME": str(tmp_path)}
    done = command_line.fanout(*arguments, environment=environment)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


def test_the_providers_batch_is_refused_where_there_is_none(tmp_path: Path) -> None:
    environment = {
        "FANOUT_HOME": str(tmp_path),
        "OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}",
    }
    flags = ("--workflow", "creative-trio", "--via", "provider_batch")
    done = command_line.fanout("batch", "-", *flags, text="rain\n", environment=environment)
    assert done.returncode == 2
    assert "has no Batch API, or doesn't answer now" in done.stderr


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        file = here.file("a,b\n1,2\n")
        done = here.batch(file, "--column", "topic")
        assert (done.returncode, here.server.requests) == (2, ())
        assert 'There are: "a", "b"' in done.stderr
        done = here.batch(file, "--var", "b=mood")
        assert done.returncode == 2
        assert 'no variable "mood". It has {tone}' in done.stderr


def test_left_to_others_it_waits_and_can_be_paused_and_stopped(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        left = here.batch("-", "--detach", "--title", "Mine", text="rain\nfog\n")
        made = left.stdout.strip()
        assert left.returncode == 0
        status = here.fanout("batch", "--status", made)
        assert f"{made}  Mine: running" in status.stdout
        assert "No worker is there" in status.stdout
        assert "paused" in here.fanout("batch", "--pause", "last").stdout
        assert "stopped" in here.fanout("batch", "--stop", made).stdout
        assert here.status(made)["left"] == 2
        assert here.server.requests == ()


def test_ctrl_c_pauses_and_resuming_asks_only_for_the_rest(tmp_path: Path) -> None:
    with desk(tmp_path, slow_s=0.1) as here:
        file = here.file("topic,n\n" + "".join(f"topic {n},1\n" for n in range(24)))
        flow = str(tmp_path / "pair.toml")
        run = here.process("batch", file, "--workflow", flow, "--concurrency", "2")
        assert here.server.wait_until(lambda server: len(server.requests) >= 8, timeout_s=60)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)
        assert run.returncode == 130, errors
        assert "python -m fanout batch --resume" in errors
        paused = here.status()
        assert paused["state"] == "paused"
        assert 0 < int(str(paused["left"])) < 24
        rest = here.fanout("batch", "--resume", "last", "--concurrency", "16")
        asked = here.asked()
    assert rest.returncode == 0, rest.stderr
    assert set(asked.values()) == {1}, "nothing is paid twice"
    assert len(asked) == 48


def test_a_worker_carries_out_what_was_left_to_it_and_leaves_at_once(tmp_path: Path) -> None:
    with desk(tmp_path, slow_s=0.2) as here:
        text = "".join(f"topic {n}\n" for n in range(200))
        here.batch("-", "--detach", text=text)
        worker = here.process("worker")
        assert here.server.wait_until(lambda server: len(server.requests) >= 10, timeout_s=60)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(timeout=30)
        took = time.monotonic() - began
        status = here.status()
    assert worker.returncode == 0, errors
    assert took < 5, "given five seconds"
    assert "takes rows of batches" in errors and "given back" in errors
    assert KEY not in errors
    assert status["state"] == "running"
    rows = status["rows"]
    assert isinstance(rows, dict)
    assert rows["failed"] == rows["partial"] == 0


def test_on_a_terminal_it_asks_before_it_starts(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        flow = str(tmp_path / "pair.toml")
        ours, theirs = os.openpty()
        asking = Popen(
            [sys.executable, "-m", "fanout", "batch", here.file("topic,n\nrain,1\n"),
             "--workflow", flow],
            cwd=ROOT, env={**os.environ, **here.environment},
            stdin=theirs, stdout=PIPE, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        said = b""
        with os.fdopen(ours, "r+b", buffering=0) as terminal:
            while b"[Y/n]" not in said:
                said += terminal.read(4096)
            terminal.write(b"n\n")
            while b"Nothing was started" not in said:
                said += terminal.read(4096)
            out, _ = asking.communicate(timeout=60)
        assert here.server.requests == ()
        assert here.fanout("batches").stdout == ""
    assert (asking.returncode, out) == (130, b"")
    assert b"Start now? [Y/n]" in said

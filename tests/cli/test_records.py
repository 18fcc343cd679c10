"""`history`, `show`, `resume`, `replay`, `export` and `import`, on runs that were really made."""

from __future__ import annotations

import json
import signal
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from fanout.cli.main import main
from fanout.export.bundle_formats import FORMATS
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from fanout.record import run_record
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import RunStatus
from tests.rig import rig, script, trio

Told = pytest.CaptureFixture[str]
STRANGE = "a\ud800b\0c \u202egnp.exe <script>alert(1)</script>"


@pytest.fixture
def made(fanout_home: Path) -> Snapshot:
    with Store.open(fanout_home) as store, rig(script(), store=store) as here:
        return here.run(trio(), "remote work")


def test_history_lists_and_searches(made: Snapshot, capsys: Told) -> None:
    assert main(["history"]) == 0
    line = capsys.readouterr().out
    assert made.run_id in line and "Finished" in line and "remote work" in line
    assert main(["history", "--json", "--search", "remote", "--status", "succeeded"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["run_id"] == made.run_id
    assert row["branches"] == 3
    assert main(["history", "--search", "zebra"]) == 0
    assert capsys.readouterr().err == "No run fits.\n"
    assert main(["history", "--since", "yesterday"]) == 2
    assert "2026-11-22" in capsys.readouterr().err


def test_show_prints_what_run_printed(made: Snapshot, capsys: Told) -> None:
    assert main(["show", made.run_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(run_record(made, made.at)))
    assert main(["show", "last", "--events"]) == 0
    kinds = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_finished")
    assert main(["show", "last"]) == 0
    assert "## Joke" in capsys.readouterr().out


def test_an_unknown_run_is_wrong_use_and_says_what_to_do(made: Snapshot, capsys: Told) -> None:
    for command in (["show"], ["replay"], ["export", "--format", "md"]):
        assert main([*command, "nobody-knows"]) == 2
        assert "python -m fanout history" in capsys.readouterr().err


def test_last_without_any_run_says_how_to_make_one(capsys: Told) -> None:
    assert main(["show", "last"]) == 2
    assert "python -m fanout run" in capsys.readouterr().err


def test_a_deleted_run_is_not_shown(made: Snapshot, fanout_home: Path, capsys: Told) -> None:
    with Store.open(fanout_home) as store:
        store.history.delete([made.run_id])
    assert main(["show", made.run_id]) == 2
    assert "deleted" in capsys.readouterr().err


def test_a_replay_takes_its_own_time_or_none(made: Snapshot, capsys: Told) -> None:
    assert main(["replay", "last", "--speed", "0"]) == 0
    told = capsys.readouterr()
    assert "played again" in told.err
    assert "Joke" in told.err
    assert "## Joke" in told.out


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_to_a_file_of_its_own_name(
    name: str, made: Snapshot, tmp_path: Path, capsys: Told
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert main(["export", "last", "--format", name, "--output", str(out)]) == 0
    (file,) = out.iterdir()
    assert file.name.startswith("remote-work-")
    assert str(file) == capsys.readouterr().out.strip()
    assert file.stat().st_size > 100


def test_several_runs_make_a_zip(made: Snapshot, tmp_path: Path, capsys: Told) -> None:
    assert main(["export", made.run_id, "last", "--format", "md"]) == 2
    target = tmp_path / "runs.zip"
    assert main(["export", "last", "--format", "zip", "--output", str(target)]) == 0
    names = zipfile.ZipFile(BytesIO(target.read_bytes())).namelist()
    assert any(name.endswith(".html") for name in names)
    assert "index.csv" in names


def test_a_run_travels_to_another_machine(
    made: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    file = tmp_path / "run.json"
    assert main(["export", "last", "--format", "json", "--output", str(file)]) == 0
    monkeypatch.setenv("FANOUT_HOME", str(tmp_path / "elsewhere"))
    broken = tmp_path / "broken.json"
    broken.write_text("{", "utf-8")
    capsys.readouterr()
    assert main(["import", str(file), str(broken)]) == 3
    told = capsys.readouterr()
    assert "imported" in told.out and "broken.json" in told.err
    assert main(["import", str(file)]) == 0
    assert "here already" in capsys.readouterr().out
    assert main(["show", made.run_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["branches"][0]["text"] == made.branches[0].text


def test_strange_text_comes_through_every_command(
    fanout_home: Path, tmp_path: Path, capsys: Told
) -> None:
    with Store.open(fanout_home) as store, rig(script(Reply(text=STRANGE)), store=store) as here:
        assert here.run(trio()).status is RunStatus.SUCCEEDED
    for command in (["history"], ["show", "last"], ["show", "last", "--json"]):
        assert main(command) == 0
    for name in FORMATS:
        assert main(["export", "last", "--format", name, "--output", str(tmp_path)]) == 0
    capsys.readouterr()


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Commands that run something take over the signals that end it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
def test_resume_asks_only_what_is_missing(
    fanout_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    poem = Rule(prompt="poem", replies=(Reply(status=400, message="no"), Reply(text="A poem.")))
    told = Script(rules=(poem,), otherwise=Reply(text="Fine words."), models=("m",))
    with serving(told) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        assert main(["run", "creative-trio", "--topic", "rain", "--json"]) == 3
        before = len(server.requests)
        assert main(["resume", "last", "--json"]) == 0
        asked = len(server.requests) - before
        record = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert [branch["status"] for branch in record["branches"]] == ["done"] * 3
        assert asked == 2, "the poem, and the combining call"
        assert main(["resume", "last"]) == 0
        assert "Nothing of this run is missing." in capsys.readouterr().err

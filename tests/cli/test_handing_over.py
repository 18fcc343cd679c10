"""Runs that come back on the command line: from a zip, from the deleted ones, by any id."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanout.cli.main import main
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from tests.rig import rig, script, trio

Told = pytest.CaptureFixture[str]


@pytest.fixture
def made(fanout_home: Path) -> Snapshot:
    with Store.open(fanout_home) as store, rig(script(), store=store) as here:
        return here.run(trio(), "remote work")


@pytest.fixture
def exported(made: Snapshot, tmp_path: Path) -> Path:
    file = tmp_path / "run.json"
    assert main(["export", made.run_id, "--format", "json", "--output", str(file)]) == 0
    return file


def test_the_zip_that_export_makes_comes_back_elsewhere(
    made: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    target = tmp_path / "runs.zip"
    assert main(["export", made.run_id, "--format", "zip", "--output", str(target)]) == 0
    monkeypatch.setenv("FANOUT_HOME", str(tmp_path / "elsewhere"))
    capsys.readouterr()
    assert main(["import", str(target)]) == 0
    assert capsys.readouterr().out == f"{made.run_id}  imported\n"
    target.write_bytes(target.read_bytes()[:200])
    assert main(["import", str(target), str(tmp_path / "none.json")]) == 1
    assert "runs.zip" in (told := capsys.readouterr().err) and "none.json: can't be read" in told


def test_importing_a_deleted_run_brings_it_back(
    made: Snapshot, exported: Path, fanout_home: Path, capsys: Told
) -> None:
    with Store.open(fanout_home) as store:
        store.history.delete([made.run_id])
    assert main(["import", str(exported)]) == 0
    assert "is back" in capsys.readouterr().out
    assert main(["show", made.run_id]) == 0


@pytest.mark.parametrize("run_id", ["-Bwq5mrNh6ptqPkB", "--wq5mrNh6ptqPkB"])
def test_an_id_that_begins_like_an_option_is_an_id(
    run_id: str, made: Snapshot, exported: Path, tmp_path: Path, capsys: Told
) -> None:
    exported.write_text(exported.read_text("utf-8").replace(made.run_id, run_id), "utf-8")
    assert main(["import", str(exported)]) == 0
    for command in (["show"], ["replay", "--speed", "0"], ["export", "--format", "md"]):
        assert main([*command, run_id]) == 0
        assert "Joke" in capsys.readouterr().out
    assert main(["resume", run_id]) == 0
    assert main(["export", run_id, made.run_id, "--format", "zip", "--output", str(tmp_path)]) == 0

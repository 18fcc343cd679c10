"""Runs on the command line: brought back from a zip or the deleted ones, by any id, and resumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import pytest

from fanout.cli.main import main
from fanout.cli.progress import Progress
from fanout.events import Event, RunStarted
from fanout.fold import apply, begin
from fanout.providers.script import Reply
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import RunStatus
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


class Step:
    """A run that is looked at after every one of its events."""

    def __init__(self, events: Sequence[Event]) -> None:
        first, *self.rest = events
        assert isinstance(first, RunStarted)
        self.first = first
        self.snapshot = begin(first)

    def now_s(self) -> float:
        return self.snapshot.at

    def follow(self) -> Iterator[Event]:
        yield self.first
        for event in self.rest:
            self.snapshot = apply(self.snapshot, event)
            yield event


def test_what_is_asked_again_ends_again_on_its_own_line() -> None:
    poem = (Reply(status=400, message="no"), Reply(text="A poem."))
    with rig(script(poem=poem)) as here:
        handle = here.start(trio())
        assert handle.wait(timeout_s=20).status is RunStatus.PARTIAL
        assert handle.resume()
        assert handle.wait(timeout_s=20).status is RunStatus.SUCCEEDED
    out = StringIO()
    Progress(Step(handle.events), "resumed", out).show()
    told = [line.split()[:2] for line in out.getvalue().splitlines()]
    assert [line for line in told if "Poem" in line] == [["Poem", "failed"], ["Poem", "done"]]
    assert told.count(["Joke", "done"]) == told.count(["Story", "done"]) == 1

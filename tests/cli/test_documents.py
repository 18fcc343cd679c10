"""`python -m fanout documents`, and runs that search only what was named."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from tests import command_line
from tests.retrieval.sample_files import encrypted, pdf

KEEPER = b"The lighthouse keeper is paid 40 crowns a night. The lamp is cleaned on Mondays."


def fanout(*arguments: str) -> CompletedProcess[str]:
    return command_line.fanout(*arguments, environment={"OPENAI_API_KEY": "sk-test"})


def listed() -> list[dict[str, object]]:
    done = fanout("documents", "list", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.fixture
def keeper(tmp_path: Path) -> Path:
    path = tmp_path / "keeper.txt"
    path.write_bytes(KEEPER)
    return path


def test_the_sample_documents_are_there_from_the_start() -> None:
    samples = listed()
    assert len(samples) >= 5
    assert all(one["sample"] for one in samples)
    shown = fanout("documents", "list").stdout
    assert all(f"{one['id']}  " in shown and str(one["name"]) in shown for one in samples)


def test_a_document_is_added_once_kept_and_removed(keeper: Path) -> None:
    before = len(listed())
    added = fanout("documents", "add", str(keeper))
    assert added.returncode == 0
    again = fanout("documents", "add", str(keeper))
    assert again.returncode == 0 and "already here" in again.stderr
    mine = [one for one in listed() if not one["sample"]]
    assert [one["name"] for one in mine] == ["keeper.txt"]
    removed = fanout("documents", "remove", str(mine[0]["id"]))
    assert removed.returncode == 0
    assert len(listed()) == before


def test_a_bad_file_is_told_and_the_others_are_kept(tmp_path: Path, keeper: Path) -> None:
    bad = {
        "empty.txt": b"",
        "noise.bin": bytes(range(256)),
        "scan.pdf": pdf(["", ""]),
        "locked.pdf": encrypted(pdf(["secret"]), "password"),
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    files = [str(tmp_path / name) for name in bad]
    done = fanout("documents", "add", files[0], str(keeper), *files[1:], str(tmp_path / "gone.md"))
    assert done.returncode == 3
    assert done.stdout.count("\n") == 1 and "keeper.txt" in done.stdout
    told = done.stderr.splitlines()
    assert len(told) == 5
    for name, words in (
        ("empty.txt", "0 bytes"), ("noise.bin", ".bin files"), ("scan.pdf", "scanned"),
        ("locked.pdf", "encrypted"), ("gone.md", "No such file"),
    ):  # fmt: skip
        assert any(name in line and words in line for line in told), (name, told)


def test_adding_nothing_that_can_be_read_fails(tmp_path: Path) -> None:
    assert fanout("documents", "add", str(tmp_path / "gone.md")).returncode == 1


def test_removing_an_unknown_document_removes_none() -> None:
    known = str(listed()[0]["id"])
    done = fanout("documents", "remove", known, "nonsense")
    assert done.returncode == 2 and "no document nonsense" in done.stderr
    assert known in {one["id"] for one in listed()}


def test_a_research_run_searches_only_the_named_files(keeper: Path) -> None:
    answer = "The keeper is paid 40 crowns [1]."
    script = Script(
        rules=(Rule(prompt="Passages to read.", replies=(Reply(text=answer),)),),
        otherwise=Reply(text="crowns a night for the lighthouse keeper"),
    )
    with serving(script) as server:
        asked = ("research", "--topic", "What is the keeper paid?", "--documents", str(keeper))
        at = ("--base-url", server.base_url, "--model", "scripted")
        done = fanout("run", *asked, *at, "--json")
        shown = fanout("run", *asked, *at)
    record = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    found = [hit["title"] for branch in record["branches"] for hit in branch["found"]]
    assert found and set(found) == {"keeper.txt"}
    assert record["aggregate"]["text"] == answer
    assert "[1] keeper.txt, passage 1" in shown.stdout
    assert "keeper.txt" in {one["name"] for one in listed()}, "it was not kept"


def test_a_run_over_a_bad_file_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    with serving(Script()) as server:
        at = ("--base-url", server.base_url, "--model", "scripted")
        files = ("--documents", str(tmp_path / "empty.txt"))
        done = fanout("run", "research", "--topic", "x", *files, *at)
        assert not server.requests
    assert done.returncode == 2
    assert "empty.txt is empty" in done.stderr

"""Many runs as one zip: names that any system takes, one run in memory, no run lost to another."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from secrets import token_hex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.errors import InputError
from fanout.events import RunStarted
from fanout.export.bundle import zip_export
from fanout.export.bundle_formats import FORMATS, file_stem, stem_of
from fanout.export.importing import read_export
from fanout.store.values import StoredRun
from fanout.types import Message, RunId
from tests.export.stored_runs import failed_run, nasty_run, shipped_runs

NAMES = re.compile(r"[\w-]+(\.[a-z]+)")


def named(run: StoredRun, run_id: str, topic: str = "") -> StoredRun:
    started = run.events[0]
    assert isinstance(started, RunStarted)
    topic = topic or started.topic
    return replace(
        run,
        events=(replace(started, run_id=RunId(run_id), topic=topic), *run.events[1:]),
        snapshot=replace(run.snapshot, run_id=RunId(run_id), topic=topic),
        label=replace(run.label, name=""),
    )


def index(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("index.csv").decode("utf-8-sig"))))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_makes_a_file_of_every_run(name: str) -> None:
    for run in (*shipped_runs().values(), failed_run(), nasty_run()):
        assert FORMATS[name].make(run)


def test_a_bundle_holds_each_run_in_each_format_and_a_list() -> None:
    runs = list(shipped_runs().values())
    done: list[int] = []
    with zip_export(iter(runs), ("html", "json", "json"), told=done.append) as file:
        archive = zipfile.ZipFile(file)
        assert archive.testzip() is None
        assert len(archive.namelist()) == 2 * len(runs) + 1
        rows = index(archive)
        for run, row in zip(runs, rows, strict=True):
            assert row["run_id"] == run.id and not row["problem"]
            back = read_export(archive.read(f"{row['files']}.json"))
            assert back.snapshot == run.snapshot
    assert done == list(range(1, len(runs) + 1))


def test_no_name_in_a_bundle_leads_out_of_its_folder() -> None:
    run = shipped_runs()["creative-trio"]
    topics = (
        "../../etc/passwd",
        "/root",
        "C:\\x",
        "a\x00b",
        "CON",
        "..",
        "\u202egpj.exe",
        "ä" * 99,
    )
    runs = [named(run, f"id-{n:06}", topic) for n, topic in enumerate(topics)]
    runs += [named(run, "../../../x"), named(run, "SAME0000"), named(run, "same0000"), nasty_run()]
    with zip_export(runs, ("md",)) as file:
        names = zipfile.ZipFile(file).namelist()
    assert len(names) == len(runs) + 1
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert NAMES.fullmatch(name) and len(name.encode()) < 255, name


@given(st.text())
def test_any_topic_becomes_part_of_a_name(topic: str) -> None:
    assert re.fullmatch(r"[^\W_]([\w-]*\w)?", stem_of(topic), re.ASCII) or all(
        c.isalnum() or c == "-" or c.isidentifier() or not c.isascii() for c in stem_of(topic)
    )
    assert not set(stem_of(topic)) & set('/\\:*?"<>|. \x00')


def test_a_file_is_named_by_topic_day_and_id() -> None:
    run = named(shipped_runs()["creative-trio"], "Abc_12-x", "Remote work: why?")
    day = "2026" if run.snapshot.started_at > 1_767_225_600 else ""
    assert re.fullmatch(rf"remote-work-why-{day}.*-\d\d-\d\d-Abc_12-x", file_stem(run))
    assert stem_of("Привет, мир") == "привет-мир"
    assert stem_of("!?") == "run"


def test_a_run_that_can_not_be_told_costs_no_other_run() -> None:
    voted = shipped_runs()["moderation"]
    broken = replace(voted, snapshot=replace(voted.snapshot, vote="nonsense"))  # type: ignore[arg-type]
    with zip_export([broken, failed_run()], ("json", "md")) as file:
        archive = zipfile.ZipFile(file)
        assert len(archive.namelist()) == 3
        first, second = index(archive)
    assert "JSON could not be made" in first["problem"] and not second["problem"]


def test_an_unknown_format_is_refused_before_anything_is_made() -> None:
    never = (shipped_runs()["nobody loads this"] for _ in range(1))
    with pytest.raises(InputError, match="exe"):
        zip_export(never, ("exe",))


def prompted(run: StoredRun, prompt: str) -> StoredRun:
    first, *rest = run.snapshot.branches
    first = replace(
        first, plan=replace(first.plan, messages=(Message(role="user", content=prompt),))
    )
    return replace(run, snapshot=replace(run.snapshot, branches=(first, *rest)))


def test_many_runs_take_the_memory_of_a_few() -> None:
    run = nasty_run("word")

    def many(count: int) -> Iterator[StoredRun]:
        for number in range(count):
            yield prompted(named(run, f"run-{number:05}"), token_hex(100_000))

    def peak(count: int) -> tuple[int, int]:
        tracemalloc.start()
        with zip_export(many(count), ("md",)) as file:
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most, file.seek(0, io.SEEK_END)

    few, _ = peak(3)
    most, size = peak(60)
    assert size > 6_000_000
    assert most < few + 1_000_000

"""Dropped files: a run, a zip of runs, or anything that claims to be one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.errors import InputError
from fanout.export.bundle import zip_export
from fanout.export.importing import import_run, read_export
from fanout.export.importing_files import MOST_FILES, exported_files
from fanout.export.importing_limits import MOST_BYTES
from fanout.export.json_export import json_export
from fanout.store.store import Store
from tests.export.stored_runs import Shelf, failed_run, nasty_run, shipped_runs


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def refusals(data: bytes) -> list[str]:
    found = exported_files("dropped.zip", data)
    return [str(content) for _, content in found if isinstance(content, InputError)]


def test_a_bundle_brings_all_its_runs_back() -> None:
    runs = list(shipped_runs().values())
    with zip_export(runs, ("json", "csv")) as file:
        data = file.read()
    shelf = Shelf()
    for name, content in exported_files("runs.zip", data):
        assert name.startswith("runs.zip: ") and isinstance(content, bytes)
        assert import_run(shelf, content).how == "new"
    assert {str(run.id): run.snapshot for run in runs} == {
        run_id: run.snapshot for run_id, run in shelf.runs.items()
    }


def test_a_file_that_is_no_zip_is_passed_on_as_it_is() -> None:
    assert list(exported_files("a.json", b"{}")) == [("a.json", b"{}")]


def test_names_in_a_zip_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = zipped(**{"../../evil.json": b"{}", "/abs.json": b"{}", "a/b.json": b"{}"})
    assert [name for name, _ in exported_files("z", data)] == [
        "z: evil.json", "z: abs.json", "z: b.json",
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"PK\x03\x04 and no more", "can't be opened"),
        (zipped(**{"readme.txt": b"hello"}), "no JSON"),
        (zipped(**{"a.json": b"x" * 4000})[:-30], "can't be opened"),
        (zipped(**{"a.json": bytes(range(256)) * 40}).replace(b"\x00\x01\x02", b"\xff" * 3), ""),
    ],
)
def test_a_zip_that_is_none_is_refused_with_a_reason(data: bytes, told: str) -> None:
    assert any(told in text for text in refusals(data)) or not told


def test_a_file_that_unpacks_to_too_much_is_cut_off() -> None:
    data = zipped(**{"bomb.json": b" " * (MOST_BYTES + 5_000_000)})
    assert len(data) < 100_000
    ((_, content),) = exported_files("bomb.zip", data)
    assert isinstance(content, bytes) and len(content) == MOST_BYTES + 1
    with pytest.raises(InputError, match="64 MB"):
        read_export(content)


def test_a_zip_of_too_many_files_is_read_up_to_the_limit() -> None:
    data = zipped(**{f"{number}.json": b"{}" for number in range(MOST_FILES + 5)})
    found = list(exported_files("many.zip", data))
    assert len(found) == MOST_FILES + 1
    assert "The first 1000" in str(found[-1][1])


@given(st.binary(max_size=200))
def test_any_bytes_after_the_sign_of_a_zip_do_no_harm(data: bytes) -> None:
    for _, content in exported_files("x", b"PK" + data):
        assert isinstance(content, bytes | InputError)


def test_the_real_store_takes_what_an_import_gives(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for run in (*shipped_runs().values(), failed_run(), nasty_run()):
            data = json_export(run).encode()
            done = import_run(store, data)
            assert (done.how, done.id) == ("new", run.id)
            kept = store.load(run.id)
            assert kept is not None and kept.imported_at is not None
            assert read_export(json_export(kept).encode()).snapshot == kept.snapshot
            assert import_run(store, data).how == "there"

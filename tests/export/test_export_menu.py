"""The export menu and the import area on a page, without a browser."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.exports.importing import Result, imported
from components.exports.menu import whole_run
from fanout.bounds import SHARED
from fanout.engine.runtime import Runtime
from fanout.errors import InputError
from fanout.export.bundle_formats import FORMATS
from fanout.export.json_export import json_export
from fanout.store.values import Label
from fanout.types import RunId
from tests.export.stored_runs import LABEL, shipped_runs


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    yield session.runtime()
    session.close_runtime()


@contextmanager
def page(runtime: Runtime, run_id: str) -> Iterator[AppTest]:
    def script(run_id: str) -> None:
        from components.exports import export_menu
        from components.session import runtime

        export_menu(runtime(), run_id, key="export")

    yield AppTest.from_function(script, args=(run_id,), default_timeout=60).run()


def bring(runtime: Runtime, edit: Any = None, name: str = "run.json") -> list[Result]:
    record = json.loads(json_export(shipped_runs()["creative-trio"]))
    if edit is not None:
        edit(record)
    return imported(runtime, name, json.dumps(record).encode())


def test_an_imported_run_can_be_opened_and_handed_over_again(runtime: Runtime) -> None:
    (done,) = bring(runtime)
    assert done.state == "new" and done.run_id
    run = whole_run(runtime, done.run_id)
    assert run.label == LABEL
    # The store joins pieces of text, so there are fewer events.
    assert replace(run.snapshot, seq=0) == replace(shipped_runs()["creative-trio"].snapshot, seq=0)
    for how in FORMATS.values():
        assert how.make(run)


def test_where_it_is_shared_a_small_zip_brings_no_large_file(runtime: Runtime) -> None:
    record = json_export(shipped_runs()["creative-trio"]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.json", record + b" " * 3 * 1024**2)
        archive.writestr("small.json", record)
    bounds = replace(SHARED, upload_bytes=2 * 1024**2)
    assert len(packed.getvalue()) < bounds.upload_bytes
    runtime.settings = replace(runtime.settings, shared=True, bounds=bounds)
    large, small = imported(runtime, "runs.zip", packed.getvalue())
    assert (large.state, small.state) == ("refused", "new")
    assert "FANOUT_MAX_UPLOAD_MB" in large.message


def test_the_menu_offers_every_form_and_makes_none(runtime: Runtime) -> None:
    (done,) = bring(runtime)
    with page(runtime, done.run_id) as app:
        assert not app.exception
        keys = {cast(Any, one).key for one in app.get("download_button")}
    assert keys == {f"export-{name}" for name in FORMATS}


def test_a_run_that_is_not_there_offers_nothing(runtime: Runtime) -> None:
    with page(runtime, "nowhere-at-all") as app:
        assert not app.exception
        assert not app.get("download_button")
    with pytest.raises(InputError):
        whole_run(runtime, "nowhere-at-all")


def test_each_file_says_what_became_of_it(runtime: Runtime) -> None:
    bring(runtime)
    assert [one.state for one in bring(runtime)] == ["there"]
    (renamed,) = bring(runtime, lambda record: record["timeline"][0].update(topic="Another"))
    assert renamed.state == "new" and "new one" in renamed.message
    (refused,) = bring(runtime, lambda record: record.update(format_version=9))
    assert refused.state == "refused" and "newer Fanout" in refused.message


def test_what_is_there_keeps_its_label_and_comes_back_from_the_deleted(runtime: Runtime) -> None:
    (done,) = bring(runtime)
    run_id = RunId(done.run_id)
    runtime.store.history.label(run_id, Label(name="Mine"))
    runtime.store.history.delete([run_id])
    (again,) = bring(runtime)
    assert again.state == "there" and "is back" in again.message
    assert runtime.store.history.label_of(run_id).name == "Mine"
    kept = runtime.store.load(run_id)
    assert kept is not None and kept.deleted_at is None

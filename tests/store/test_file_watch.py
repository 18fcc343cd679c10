"""A database file that is deleted or replaced under a running process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fanout.errors import StoreConflict, StoreError
from fanout.store.store import Store
from fanout.store.values import Question
from tests.store.samples import events, update


@pytest.mark.parametrize("names", [("fanout.db",), ("fanout.db", "fanout.db-wal", "fanout.db-shm")])
def test_a_deleted_file_is_begun_anew(fanout_home: Path, names: tuple[str, ...]) -> None:
    told = events()
    with Store.open(fanout_home) as store:
        store.write([update(told, until=10)])
        for name in names:
            (fanout_home / name).unlink()
        assert store.edition == 0
        assert store.history.find(Question()).total == 0, "what was in it is gone"
        assert store.edition == 1
        with pytest.raises(StoreConflict):
            store.write([update(told, 10)])
        store.write([update(told)])
        assert store.edition == 1
    with Store.open(fanout_home) as store:
        assert store.problems == ()
        assert store.load("run-0001") is not None


def test_a_run_in_a_file_that_was_begun_anew_has_its_owner(fanout_home: Path) -> None:
    told = events()
    with Store.open(fanout_home) as store:
        store.write([update(told, until=10)])
        (fanout_home / "fanout.db").unlink()
        store.write([update(told, until=20)])
        with Store.open(fanout_home) as other:
            assert other.interrupt() == ()
            assert (run := other.load("run-0001")) is not None
            assert run.live


def test_a_deleted_folder_is_made_again(fanout_home: Path) -> None:
    with Store.open(fanout_home) as store:
        store.write([update(events())])
        shutil.rmtree(fanout_home)
        store.write([update(events("run-0002"))])
        assert store.edition == 1
    with Store.open(fanout_home) as store:
        assert store.load("run-0002") is not None


def test_a_folder_that_cannot_be_made_again_is_an_error_in_words(tmp_path: Path) -> None:
    home = tmp_path / "there" / "home"
    with Store.open(home) as store:
        shutil.rmtree(tmp_path / "there")
        (tmp_path / "there").write_text("a file in the way")
        for _ in range(2):
            with pytest.raises(StoreError, match="folder is still there"):
                store.write([update(events())])
        (tmp_path / "there").unlink()
        store.write([update(events())])
        assert store.load("run-0001") is not None


def test_a_restored_copy_is_gone_on_with(fanout_home: Path, tmp_path: Path) -> None:
    told = events()
    with Store.open(fanout_home) as store:
        store.write([update(told, until=10)])
    shutil.copy(fanout_home / "fanout.db", tmp_path / "copy.db")
    with Store.open(fanout_home) as store:
        store.write([update(told, 10, 20)])
        (tmp_path / "copy.db").replace(fanout_home / "fanout.db")
        for name in ("fanout.db-wal", "fanout.db-shm"):
            (fanout_home / name).unlink(missing_ok=True)
        with pytest.raises(StoreConflict):
            store.write([update(told, 20)])
        assert store.edition == 1
        store.write([update(told)])
        assert (run := store.load("run-0001")) is not None
        assert run.written == len(told)

"""A table in a guessed encoding starts nothing that nobody has looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.batch_desk import Desk, desk

TOPICS = ("東京", "日本語")


def japanese(here: Desk) -> str:
    path = here.folder / "topics.csv"
    path.write_bytes("topic,n\n東京,1\n日本語,2\n".encode("shift_jis"))
    return str(path)


@pytest.mark.parametrize("arguments", [(), ("--yes",), ("--trial",), ("--detach", "--json")])
def test_a_guess_is_refused_where_nobody_is_asked(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with desk(tmp_path) as here:
        done = here.batch(japanese(here), *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "may be Shift-JIS" in done.stderr and "“日本語”" in done.stderr
        assert "--encoding cp932" in done.stderr and "Nothing was asked." in done.stderr
        assert not here.asked()
        assert here.fanout("batches", "--json").stdout.strip() in ("", "[]")


def test_a_named_encoding_is_read_and_started(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        done = here.batch(japanese(here), "--encoding", "shift_jis", "--yes")
        assert done.returncode == 0, done.stderr
        prompts = {f"As {title} on {topic}, calm." for title in ("One", "Two") for topic in TOPICS}
        assert all(any(prompt in asked for asked in here.asked()) for prompt in prompts)


def test_added_rows_are_looked_at_the_same_way(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        assert here.batch("-", "--detach", text="rain\n").returncode == 0
        done = here.fanout("batch", japanese(here), "--add", "last", "--detach", "--yes")
        assert done.returncode == 2 and "--encoding cp932" in done.stderr
        assert len(here.rows()) == 1
        said = ("--encoding", "shift_jis", "--detach", "--yes")
        assert here.fanout("batch", japanese(here), "--add", "last", *said).returncode == 0
        assert len(here.rows()) == 3


def test_an_encoding_says_nothing_to_a_batch_that_goes_on(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        assert here.batch("-", "--detach", text="rain\n").returncode == 0
        done = here.fanout("batch", "--resume", "last", "--encoding", "big5")
        assert done.returncode == 2 and "--encoding doesn't go with --resume" in done.stderr

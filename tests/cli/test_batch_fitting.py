"""What goes with which act on a batch: the rest is refused, and the batch stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanout.providers.scripted_server import serving
from fanout.store.store import Store
from tests.cli.batch_desk import Desk, desk, script

LEFT = ("--detach", "--json")


def waiting(here: Desk, *arguments: str) -> Desk:
    """With a batch of two rows that nobody has carried out."""
    done = here.batch("-", "--detach", *arguments, text="rain\nfog\n")
    assert done.returncode == 0, done.stderr
    return here


def settings(here: Desk) -> tuple[object, ...]:
    with Store.open(here.folder / "home") as store:
        (one,) = store.batches.all()
        return (
            one.concurrency, one.rows_per_minute, one.budget.usd, one.budget.tokens, one.title,
            one.state.value, one.changed,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--resume", "last", "--concurrency", "100000"), "from 1 to 1,000"),
        (("--resume", "last", "--concurrency", f"{10**19}"), "from 1 to 1,000"),
        (("--resume", "last", "--model", "cheap"), "keeps its model (scripted)"),
        (("--retry-failed", "last", "--model", "cheap"), "keeps its model (scripted)"),
        (("--resume", "last", "--via", "provider_batch"), "keeps its way (calls)"),
        (("--resume", "last", "--workflow", "creative-trio"), "keeps its workflow"),
        (("x.csv", "--add", "last", "--workflow", "creative-trio"), "keeps its workflow"),
        (("--resume", "last", "--trial"), "--trial doesn't go with --resume"),
        (("--resume", "last", "--column", "a"), "--column doesn't go with --resume"),
        (("--resume", "last", "--var", "a=tone"), "--var doesn't go with --resume"),
        (("--retry-failed", "last", "--no-header"), "--no-header doesn't go with --retry-failed"),
        (("--status", "last", "--budget", "5"), "--budget doesn't go with --status"),
        (("--pause", "last", "--per-minute", "0"), "--per-minute doesn't go with --pause"),
        (("no.csv", "--add", "last", "--budget", "5"), "can't be read"),
        (("--resume", "last", "--budget", "nothing"), "no sum of dollars"),
    ],
)
def test_an_option_that_would_be_dropped_is_refused_and_changes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    with desk(tmp_path) as here:
        before = settings(waiting(here))
        done = here.fanout("batch", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr
        assert settings(here) == before
        assert here.server.requests == ()


def test_what_it_keeps_may_be_said_again(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        waiting(here)
        url = here.environment["OPENAI_BASE_URL"]
        same = ("--model", "scripted", "--via", "calls", "--base-url", f"{url}/")
        done = here.fanout("batch", "--resume", "last", *same, "--title", " Two\nlines ")
        assert done.returncode == 0, done.stderr
        assert settings(here)[4] == "Two lines"


def test_limits_and_caps_can_be_lifted(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        waiting(here, "--per-minute", "7", "--budget-tokens", "900")
        here.fanout("batch", "--resume", "last", "--budget", "5", *LEFT)
        assert settings(here)[1:4] == (7, 5, 900)
        here.fanout("batch", "--resume", "last", "--budget", "none", *LEFT)
        assert settings(here)[1:4] == (7, None, 900)
        lifting = ("--per-minute", "0", "--budget-tokens", "NONE")
        done = here.fanout("batch", "--resume", "last", *lifting, *LEFT)
        assert done.returncode == 0, done.stderr
        assert settings(here)[1:4] == (None, None, None)
        assert (
            here.batch("-", "--per-minute", "0", "--budget", "none", *LEFT, text="x").returncode
            == 0
        )


@pytest.mark.parametrize("named", [(), ("--base-url",)])
def test_a_batch_is_not_gone_on_with_where_the_endpoint_is_another(
    tmp_path: Path, named: tuple[str, ...]
) -> None:
    with desk(tmp_path) as here, serving(script()) as other:
        waiting(here)
        here.fanout("batch", "--pause", "last")
        before = settings(here)
        if named:
            named = (*named, other.base_url)
        else:
            here.environment["OPENAI_BASE_URL"] = other.base_url
        done = here.fanout("batch", "--resume", "last", *named)
        assert done.returncode == 2
        assert "which leads to" in done.stderr
        assert ("start a new one" if named else "With --detach") in done.stderr
        assert settings(here) == before
        detached = here.fanout("batch", "--resume", "last", "--detach", *named)
        assert detached.returncode == (2 if named else 0)
        assert other.requests == here.server.requests == ()


def test_added_rows_fill_a_variable_from_the_same_column_as_before(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        made = here.batch(here.file("topic,mood\nrain,stern\nfog,\n"), "--var", "mood=tone")
        assert made.returncode == 0, made.stderr
        more = here.file("topic,mood\nsnow,merry\n", "more.csv")
        added = here.fanout("batch", more, "--add", "last")
        assert added.returncode == 0, added.stderr
        assert '{tone} is filled from "mood"' in added.stderr
        assert here.asked()["As One on snow, merry."] == 1
        plain = here.file("topic,n\nhail,1\n", "plain.csv")
        without = here.fanout("batch", plain, "--add", "last")
        assert '{tone} is "calm" in all rows' in without.stderr


def test_where_it_can_t_be_told_what_filled_a_variable_it_is_asked_for(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.batch(here.file("topic,mood,way\nrain,stern,stern\n"), "--var", "mood=tone")
        more = here.file("topic,mood,way\nsnow,merry,slow\n", "more.csv")
        asked = here.fanout("batch", more, "--add", "last")
        assert asked.returncode == 2
        assert "mood or way. Say which with --var COLUMN=tone" in asked.stderr
        told = here.fanout("batch", more, "--add", "last", "--var", "mood=tone")
        assert told.returncode == 0, told.stderr
        assert here.asked()["As Two on snow, merry."] == 1


def test_the_command_ends_when_its_batch_is_deleted_elsewhere(tmp_path: Path) -> None:
    with desk(tmp_path, slow_s=30) as here, Store.open(tmp_path / "home") as store:
        file = here.file("topic,n\nrain,1\nfog,2\n")
        carrying = here.process("batch", file, "--workflow", str(tmp_path / "pair.toml"))
        assert here.server.wait_until(lambda server: len(server.requests) >= 2, timeout_s=60)
        (batch,) = store.batches.all()
        store.batches.stop(batch.id)
        store.batches.delete(batch.id)
        out, errors = carrying.communicate(timeout=60)
    assert carrying.returncode == 2, errors
    assert "This batch was deleted elsewhere" in errors
    assert "tried again" not in errors
    assert "Traceback" not in errors
    assert out == ""


def test_a_budget_in_dollars_that_can_t_be_kept_makes_no_batch(tmp_path: Path) -> None:
    with desk(tmp_path) as here, Store.open(tmp_path / "home") as store:
        for how in (("--detach",), ("--trial",), ("--json",)):
            done = here.batch("-", "--budget", "1", "--yes", *how, text="rain\nfog\n")
            assert (done.returncode, done.stdout) == (2, ""), done.stderr
            assert done.stderr.count("price is unknown") == 1
            assert "cap tokens instead" in done.stderr
        assert store.batches.all() == ()
        assert here.server.requests == ()
        assert here.batch("-", "--budget-tokens", "9", "--detach", text="x").returncode == 0


def test_where_the_batch_s_topic_column_is_missing_the_column_is_asked_for(tmp_path: Path) -> None:
    with desk(tmp_path) as here, Store.open(tmp_path / "home") as store:
        here.batch(here.file("topic,price\nrain,1\n"), "--detach")
        (made,) = store.batches.all()
        for text, flags in (("name,price,colour\nsnow,2,red\n", ()), ("price\n3\n", ("--header",))):
            more = here.file(text, "more.csv")
            asked = here.fanout("batch", more, "--add", "last", "--detach", *flags)
            assert asked.returncode == 2, asked.stderr
            assert 'stand in the column "topic", which is not here' in asked.stderr
            assert "--column NAME" in asked.stderr and '"price"' in asked.stderr
        assert store.batches.count(made.id) == 1
        file = here.file("name,price,colour\nsnow,2,red\n", "more.csv")
        told = here.fanout("batch", file, "--add", "last", "--column", "name", "--detach")
        assert told.returncode == 0, told.stderr
        assert "1 row is added" in told.stderr
        listed = here.fanout("batch", "-", "--add", "last", "--detach", text="hail\nfog\n")
        assert listed.returncode == 0, listed.stderr
        assert [one.row.topic for one in store.batches.rows(made.id)] == [
            "rain", "snow", "hail", "fog"
        ]  # fmt: skip

"""A setting that is wrong is told by where it stands, and not by a variable that nobody has set."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fanout.engine.openings import awaited_store, opened_store
from fanout.errors import SettingsError
from fanout.settings import Settings


def test_what_a_file_holds_is_told_by_the_variable_that_names_the_file(tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.write_text("sk-with a space")
    with pytest.raises(SettingsError, match=r"^OPENAI_API_KEY_FILE holds characters"):
        Settings.from_environment({"OPENAI_API_KEY_FILE": str(held)})


def test_a_wrong_address_of_a_database_is_told_by_where_it_stands(tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.write_text("mysql://u:p4ssw0rd@h/n")
    (tmp_path / "fanout.toml").write_text('[database]\nurl = "mysql://u:p4ssw0rd@h/n"\n')
    for env, told in (
        (
            {"FANOUT_DATABASE_URL_FILE": str(held), "FANOUT_HOME": "/nowhere"},
            "^FANOUT_DATABASE_URL_FILE is",
        ),
        (
            {"FANOUT_HOME": str(tmp_path)},
            rf"^database\.url \({tmp_path}/fanout\.toml, line 2\) is no",
        ),
    ):
        with pytest.raises(SettingsError, match=told) as caught:
            awaited_store(Settings.from_environment(env))
        assert "p4ssw0rd" not in str(caught.value)
        problems: list[str] = []
        opened_store(Settings.from_environment(env), problems).close()
        assert re.match(told, problems[0])

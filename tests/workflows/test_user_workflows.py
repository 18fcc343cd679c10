"""Workflows of one's own: kept, renamed, deleted and restored, imported and written out as TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanout.cli.main import main
from fanout.errors import DefinitionError, InputError, SettingsError
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.workflows.definition import Workflow
from fanout.workflows.library import load_all, shipped, user_workflows
from fanout.workflows.names import free_name, name_of, slug
from fanout.workflows.parsing import parse
from fanout.workflows.user_workflows import MAX_BYTES, UserWorkflows
from fanout.workflows.written import written


@pytest.fixture
def mine(tmp_path: Path) -> UserWorkflows:
    return user_workflows(tmp_path)


def simple(name: str = "mine", title: str = "Mine") -> Workflow:
    branch = {"id": "a", "title": "A", "prompt": "Write about {topic}."}
    return parse({"title": title, "branches": [branch]}, name=name)


def names(mine: UserWorkflows) -> list[str]:
    return [stored.name for stored in mine.all()]


def test_a_workflow_is_kept_and_found_beside_the_shipped_ones(
    mine: UserWorkflows, tmp_path: Path
) -> None:
    mine.add(simple())
    library = load_all(tmp_path)
    assert library.get("mine") == simple()
    assert [w.name for w in library.workflows] == [*(w.name for w in shipped().workflows), "mine"]
    assert library.problems == ()


def test_no_folder_is_no_workflows(tmp_path: Path) -> None:
    mine = UserWorkflows(tmp_path / "nowhere")
    assert mine.all() == ()
    assert mine.deleted() == ()
    assert mine.version("mine") == ""
    assert mine.get("mine") is None


def test_a_file_broken_by_hand_is_listed_and_takes_no_other_down(
    mine: UserWorkflows, tmp_path: Path
) -> None:
    mine.add(simple())
    (mine.folder / "broken.toml").write_text("title = [", "utf-8")
    (mine.folder / "odd.toml").write_bytes(b"\xff\xfe\x00")
    (mine.folder / "huge.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    (mine.folder / "deep.toml").write_text("a = " + "[" * 100_000, "utf-8")
    (mine.folder / "creative-trio.toml").write_text(written(simple()), "utf-8")
    (mine.folder / "My Trip.toml").write_text(written(simple()), "utf-8")
    problems = {stored.name: stored.problem for stored in mine.all()}
    assert problems.pop("mine") == ""
    assert "is not TOML" in problems["broken"]
    assert "isn't UTF-8" in problems["odd"]
    assert "more than 1,000 kB" in problems["huge"]
    assert "is not TOML" in problems["deep"] or "nested too deeply" in problems["deep"]
    assert "name of a shipped workflow" in problems["creative-trio"]
    assert "small letters" in problems["My Trip"]
    library = load_all(tmp_path)
    assert library.get("mine") == simple()
    assert library.get("creative-trio") == shipped().get("creative-trio")
    assert len(library.problems) == 6


def test_a_broken_file_is_mended_only_by_a_workflow(mine: UserWorkflows) -> None:
    mine.add(simple())
    (mine.folder / "mine.toml").write_text("title = [", "utf-8")
    with pytest.raises(DefinitionError, match="not TOML"):
        mine.mend("mine", "still = [")
    stored = mine.get("mine")
    assert stored is not None and stored.text == "title = ["
    mine.mend("mine", "# mended\n" + written(simple()))
    stored = mine.get("mine")
    assert stored is not None and stored.workflow == simple() and stored.text[:8] == "# mended"


def test_the_version_tells_that_another_tab_saved(mine: UserWorkflows) -> None:
    seen = mine.add(simple())
    assert mine.version("mine") == seen
    assert mine.save(simple(title="Other")) != seen
    assert mine.save(simple()) == seen


@pytest.mark.parametrize("taken", ["other", "creative-trio"])
def test_a_rename_takes_nobodys_name(mine: UserWorkflows, taken: str) -> None:
    mine.add(simple())
    mine.add(simple("other", "Other"))
    with pytest.raises(InputError, match=r"already|shipped"):
        mine.rename("mine", taken)
    assert names(mine) == ["mine", "other"]
    assert mine.get("other") is not None
    mine.rename("mine", "third")
    mine.rename("third", "third")
    assert names(mine) == ["other", "third"]
    with pytest.raises(InputError, match="not there any more"):
        mine.rename("mine", "fourth")


@pytest.mark.parametrize("name", ["creative-trio", "../mine", "", ".hidden", "a/b", "a\\b"])
def test_names_that_lead_elsewhere_or_are_shipped_are_refused(
    mine: UserWorkflows, name: str
) -> None:
    mine.add(simple())
    with pytest.raises(InputError):
        mine.rename("mine", name)
    assert names(mine) == ["mine"]


def test_a_deleted_workflow_comes_back_even_by_a_later_process(
    mine: UserWorkflows, tmp_path: Path
) -> None:
    mine.add(simple())
    mine.delete("mine")
    assert names(mine) == []
    later = user_workflows(tmp_path)
    (deleted,) = later.deleted()
    later.add(simple(title="In its place"))
    with pytest.raises(InputError, match="already"):
        later.restore(deleted)
    later.rename("mine", "second")
    assert later.restore(deleted) == "mine"
    assert later.deleted() == ()
    stored = later.get("mine")
    assert stored is not None and stored.workflow == simple()
    with pytest.raises(InputError, match="not there any more"):
        later.delete("nobody")


def test_of_many_deleted_ones_the_newest_are_kept(mine: UserWorkflows) -> None:
    for number in range(23):
        mine.add(simple(f"w{number}"))
        mine.delete(f"w{number}")
    assert [deleted.name for deleted in mine.deleted()] == [f"w{n}" for n in range(22, 2, -1)]


def test_import_checks_before_it_keeps(mine: UserWorkflows) -> None:
    workflow = mine.import_toml(written(simple()).encode(), "My Trip (2)")
    assert workflow.name == "my-trip-2"
    assert names(mine) == ["my-trip-2"]
    with pytest.raises(InputError, match="already"):
        mine.import_toml(written(simple()), "my trip 2")
    for text, message in (
        ("no toml at all", "not TOML"),
        (b"\xff\xff", "UTF-8"),
        ('title = "A"', "branches"),
        ("#" * (MAX_BYTES + 1), "no workflow's size"),
        (written(simple()).replace("{topic}", "{foo}"), "{foo}"),
    ):
        with pytest.raises(DefinitionError, match=message):
            mine.import_toml(text, "other")
    assert names(mine) == ["my-trip-2"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(SettingsError, match="FANOUT_HOME"):
        UserWorkflows(tmp_path / "home").save(simple())


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("My Trip", "my-trip"),
        ("  Über die Brücke!  ", "uber-die-brucke"),
        ("a__b--c", "a-b-c"),
        ("x" * 60, "x" * 40),
        ("日本語", ""),
        ("🦊", ""),
    ],
)
def test_a_typed_name_becomes_one_that_fits(typed: str, name: str) -> None:
    assert slug(typed) == name
    if name:
        assert name_of(typed) == name
    else:
        with pytest.raises(InputError, match="letter"):
            name_of(typed)


def test_a_free_name_is_found_by_counting_on() -> None:
    assert free_name("a", set()) == "a"
    assert free_name("a", {"a", "a-2"}) == "a-3"
    assert free_name("x" * 40, {"x" * 40}) == "x" * 38 + "-2"


def test_the_command_line_lists_them_and_finds_them_by_name(
    fanout_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = user_workflows(fanout_home)
    mine.add(simple("my-own", "My own"))
    (mine.folder / "broken.toml").write_text("title = [", "utf-8")
    assert main(["workflows"]) == 0
    told = capsys.readouterr()
    assert "my-own" in told.out and "creative-trio" in told.out
    assert "broken.toml is not TOML" in told.err
    with serving(Script(otherwise=Reply(text="Fine."))) as server:
        status = main(["run", "my-own", "--topic", "rain", "--base-url", server.base_url])
    assert status == 0
    assert "Fine." in capsys.readouterr().out

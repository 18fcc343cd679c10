"""Workflow files: what is refused, and that the message names the file and the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fanout.errors import DefinitionError, InputError
from fanout.workflows.definition import with_max_tokens
from fanout.workflows.library import load, load_file, shipped
from fanout.workflows.parsing import parse
from fanout.workflows.templates import check, render, variables


def good(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "title": "Two",
        "branches": [
            {"id": "a", "title": "A", "prompt": "Say {topic}"},
            {"id": "b", "title": "B", "prompt": "Sing {topic}"},
        ],
        "aggregate": {"prompt": "Join: {results}"},
    }
    return {**data, **changes}


BAD = {
    "an unknown field": (good(colour="red"), "colour is not a known field"),
    "an unknown field of a branch": (
        good(branches=[{"id": "a", "title": "A", "prompt": "x", "promt": "y"}]),
        "branch 1: promt is not a known field",
    ),
    "a missing variable": (
        good(branches=[{"id": "a", "title": "A", "prompt": "As {role}: {topic}"}]),
        'branch "a": prompt uses {role}, which nothing fills in',
    ),
    "two branches of one id": (
        good(branches=[{"id": "a", "title": t, "prompt": "x"} for t in "AB"]),
        'two branches have the id "a"',
    ),
    "two branches of one title": (
        good(branches=[{"id": i, "title": "A", "prompt": "x"} for i in "ab"]),
        'two branches have the title "A"',
    ),
    "no branch": (good(branches=[]), "branches needs at least one entry"),
    "a branch without a title": (
        good(branches=[{"id": "a", "title": " ", "prompt": "x"}]),
        "branch 1: title is empty",
    ),
    "every branch off": (
        good(branches=[{"id": "a", "title": "A", "prompt": "x", "enabled": False}]),
        "every branch is switched off",
    ),
    "no prompt anywhere": (good(branches=[{"id": "a", "title": "A"}]), 'branch "a" has no prompt'),
    "the aggregate's id": (
        good(branches=[{"id": "aggregate", "title": "A", "prompt": "x"}]),
        'no branch may have the id "aggregate"',
    ),
    "a brace alone": (
        good(branches=[{"id": "a", "title": "A", "prompt": "x { y"}]),
        "a brace stands alone",
    ),
    "a variable that reaches inside": (
        good(branches=[{"id": "a", "title": "A", "prompt": "{topic.__class__}"}]),
        "is no variable",
    ),
    "results in a branch": (
        good(branches=[{"id": "a", "title": "A", "prompt": "{results}"}]),
        "{results}",
    ),
    "an unknown kind": (good(kind="magic"), 'no workflow kind "magic"'),
    "a temperature out of range": (good(defaults={"temperature": 9}), "defaults: temperature"),
}


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=BAD.keys())
def test_a_wrong_definition_is_refused_by_name_and_field(data: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(data, name="two")
    assert str(caught.value).startswith("two: ")
    assert words in str(caught.value)


def test_a_file_that_is_not_toml_is_named_and_the_others_still_load(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("title = ")
    (tmp_path / "fine.toml").write_text(
        'title = "Fine"\n[[branches]]\nid = "a"\ntitle = "A"\nprompt = "{topic}"\n'
    )
    (tmp_path / "twice.toml").write_text('title = "T"\n[[branches]]\nid = "A b"\ntitle = "x"\n')
    library = load(tmp_path)
    assert [workflow.name for workflow in library.workflows] == ["fine"]
    assert library.problems[0].startswith("broken.toml is not TOML")
    assert library.problems[1].startswith("twice.toml: branch 1: id may hold small letters")


def test_every_shipped_workflow_loads_and_can_be_found() -> None:
    library = shipped()
    assert library.problems == ()
    names = [workflow.name for workflow in library.workflows]
    assert names[:5] == ["creative-trio", "perspectives", "review", "report", "questions"]
    for workflow in library.workflows:
        assert workflow.promise and len(workflow.examples) >= 3, workflow.name
        assert library.get(workflow.name) is workflow
    with pytest.raises(InputError, match="There are: creative-trio"):
        library.get("nonsense")


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"gone\.toml"):
        load_file(tmp_path / "gone.toml")


def test_values_go_into_a_template_as_they_are() -> None:
    assert render("a {topic} {{b}}", {"topic": "{x} {topic}"}) == "a {x} {topic} {b}"
    assert variables("{a} {{c}} {b}") == {"a", "b"}
    with pytest.raises(DefinitionError, match=r"may use \{topic\}"):
        check("{other}", {"topic"}, "here")


def test_one_length_limit_reaches_every_call() -> None:
    workflow = with_max_tokens(parse(good(), name="two"), 7)
    assert workflow.aggregate is not None
    assert {*(b.max_tokens for b in workflow.branches), workflow.aggregate.max_tokens} == {7}

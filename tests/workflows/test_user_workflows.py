"""Workflows of one's own: kept, renamed, deleted and restored, imported and written out as TOML."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanout.cli.main import main
from fanout.errors import DefinitionError, InputError, SettingsError
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.types import EndpointId, ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.library import load_all, shipped, user_workflows
from fanout.workflows.names import free_name, name_of, slug
from fanout.workflows.parsing import KINDS, complaints, parse
from fanout.workflows.run import plan
from fanout.workflows.single import single
from fanout.workflows.skeletons import skeleton
from fanout.workflows.specs import (
    AggregateSpec,
    BranchSpec,
    CallDefaults,
    CriterionSpec,
    DeadlineSpec,
    ScaleSpec,
    VoteSpec,
)
from fanout.workflows.user_workflows import MAX_BYTES, UserWorkflows, read_toml
from fanout.workflows.written import written

TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "a\nb",
        "\n\nx\n",
        '"""',
        "'''\n\"",
        'a "b"',
        "\\ \n\\",
        "a\r\nb\r",
        "\t\x00\x7f",
        "end\n'",
    ]
)
PROMPTS = TEXTS.map(lambda text: "Write. " + text.replace("{", "{{").replace("}", "}}"))
TITLES = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
NUMBERS = st.none() | st.floats(0, 2)
LIMITS = st.none() | st.integers(1, 200_000)
SECONDS = st.none() | st.floats(0.001, 86_400)


@st.composite
def branches(draw: st.DrawFn) -> list[dict[str, object]]:
    count = draw(st.integers(1, 4))
    return [
        {
            "id": f"b{'x' * i}",
            "title": f"{'T' * (i + 1)}",
            "prompt": draw(st.none() | PROMPTS),
            "variables": draw(st.dictionaries(st.text(max_size=8), TEXTS, max_size=2)),
            "model": draw(TEXTS),
            "temperature": draw(NUMBERS),
            "max_tokens": draw(LIMITS),
            "enabled": i == 0 or draw(st.booleans()),
            "times": draw(st.integers(1, 3)),
            "weight": draw(st.floats(0.001, 1000)),
            "queries": draw(st.sampled_from(["whole", "lines"])),
        }
        for i in range(count)
    ]


AGGREGATES = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["synthesis", "guided", "table", "vote", "concatenation"]),
        "title": TITLES,
        "prompt": PROMPTS,
        "result": PROMPTS,
        "model": TEXTS,
        "temperature": NUMBERS,
        "max_tokens": LIMITS,
        "points": st.lists(TEXTS, max_size=3),
        "criteria": st.lists(TEXTS, max_size=3),
        "judges": st.integers(1, 15),
    },
)
VOTES = st.fixed_dictionaries(
    {},
    optional={
        "rule": st.sampled_from(["plurality", "majority", "weighted"]),
        "k": st.none() | st.just(1),
        "early_stop": st.sampled_from(["never", "decided", "likely"]),
    },
)
CRITERIA = st.lists(
    st.fixed_dictionaries({"title": TITLES, "question": TEXTS, "weight": st.floats(0.1, 9)}),
    min_size=1,
    max_size=3,
).map(lambda rows: [{**row, "id": f"c{i}"} for i, row in enumerate(rows)])
OWN: dict[str, dict[str, st.SearchStrategy[object]]] = {
    "sectioning": {},
    "models": {
        "models": st.lists(TEXTS, max_size=3),
        "temperatures": st.lists(st.floats(0, 2), min_size=1, max_size=3),
    },
    "moderation": {"vote": VOTES, "categories": st.just(["none", "spam"])},
    "judges": {"scale": st.just({"low": 1, "high": 5}) | st.just({"low": 0, "high": 9})},
    "reasoning": {"vote": VOTES},
    "research": {"documents": st.lists(TEXTS, max_size=3), "found": st.integers(1, 50)},
}


@st.composite
def workflows(draw: st.DrawFn, kind: str) -> Workflow:
    optional: dict[str, st.SearchStrategy[object]] = {
        "promise": TEXTS,
        "examples": st.lists(TEXTS, max_size=3),
        "topic_hint": TEXTS,
        "system": PROMPTS,
        "shared": PROMPTS,
        "defaults": st.fixed_dictionaries({}, optional={"temperature": NUMBERS}),
        "deadlines": st.fixed_dictionaries({}, optional={"idle_s": SECONDS, "total_s": SECONDS}),
        "aggregate": st.none() | AGGREGATES,
        **OWN[kind],
    }
    data = draw(st.fixed_dictionaries({"title": TITLES, "prompt": PROMPTS}, optional=optional))
    if kind == "judges":
        data["rubric"] = draw(CRITERIA)
    return parse({**data, "kind": kind, "branches": draw(branches())}, name="any")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_is_written_reads_back_as_the_very_same_workflow(
    kind: str, data: st.DataObject
) -> None:
    workflow = data.draw(workflows(kind))
    assert read_toml(written(workflow), name="any") == workflow


@pytest.mark.parametrize("workflow", shipped().workflows, ids=lambda workflow: workflow.name)
def test_shipped_workflows_survive_being_written(workflow: Workflow) -> None:
    assert read_toml(written(workflow), name=workflow.name) == workflow


def test_a_written_file_reads_as_people_write_it() -> None:
    text = written(
        parse(
            {
                "title": "Mine",
                "prompt": 'Write about "{topic}".\nTwo lines.',
                "system": 'Say "yes".',
                "branches": [{"id": "a", "title": "A", "variables": {"role": "cook"}}],
                "deadlines": {"idle_s": None},
                "aggregate": {},
            },
            name="mine",
        )
    )
    assert text == (
        'kind = "sectioning"\ntitle = "Mine"\nsystem = \'Say "yes".\'\n'
        'prompt = """\nWrite about "{topic}".\nTwo lines."""\n\n'
        "[deadlines]\nidle_s = false\n\n"
        '[[branches]]\nid = "a"\ntitle = "A"\n\n[branches.variables]\nrole = "cook"\n\n'
        '[aggregate]\nkind = "synthesis"\ntitle = "Synthesis"\n'
    )


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


def branch(**changes: object) -> dict[str, object]:
    return {"id": "a", "title": "A", "prompt": "About {topic}.", **changes}


def many(count: int) -> list[dict[str, object]]:
    return [branch(id=f"b{i}", title=f"B{i}") for i in range(count)]


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"branches": [branch(prompt="{foo}")]}, ("branches", 0, "prompt"), "{foo}"),
        ({"branches": [branch(), branch(id="b")]}, ("branches", 1, "title"), 'title "A"'),
        ({"branches": [branch(), branch(title="B")]}, ("branches", 1, "id"), 'id "a"'),
        ({"branches": [branch(prompt="a { b")]}, ("branches", 0, "prompt"), "brace"),
        ({"branches": [branch(prompt=None)], "prompt": "{x}"}, ("prompt",), "{x}"),
        ({"branches": [branch(prompt=None)]}, ("prompt",), "no prompt"),
        ({"branches": [branch(prompt=" ")]}, ("branches", 0, "prompt"), "no prompt"),
        ({"branches": [branch(id="aggregate")]}, ("branches", 0, "id"), "aggregate"),
        ({"branches": [branch(enabled=False)]}, ("branches",), "switched off"),
        ({"branches": [branch(times=30), branch(id="b", title="B", times=30)]}, ("branches",), ""),
        (
            {"branches": [branch(times=2), branch(id="a-1", title="B")]},
            ("branches", 1, "id"),
            '"a-1"',
        ),
        ({"branches": many(51)}, ("branches",), "more than 50"),
        ({"branches": []}, ("branches",), "at least one"),
        ({"branches": [branch(title=" ")]}, ("branches", 0, "title"), "empty"),
        ({"branches": [branch(id="A b")]}, ("branches", 0, "id"), "small letters"),
        ({"system": "{x}"}, ("system",), "{x}"),
        ({"shared": "}"}, ("shared",), "brace"),
        ({"aggregate": {"prompt": "{x}"}}, ("aggregate", "prompt"), "{x}"),
        ({"aggregate": {"result": "{x}"}}, ("aggregate", "result"), "{x}"),
        ({"kind": "moderation", "vote": {"rule": "k_of_n"}}, ("vote", "k"), "missing"),
        ({"kind": "moderation", "vote": {"k": 9}}, ("vote", "k"), "only 1"),
        ({"kind": "reasoning", "vote": {"rule": "unanimity"}}, ("vote", "rule"), "unanimity"),
        (
            {"kind": "judges", "rubric": [{"id": "a", "title": "A"}] * 2},
            ("rubric", 1, "id"),
            "criterion",
        ),
        (
            {"kind": "judges", "rubric": [{"id": "reason", "title": "A"}]},
            ("rubric", 0, "id"),
            "reason",
        ),
        (
            {"kind": "judges", "rubric": [{"id": "a", "title": "A"}], "scale": {"low": 9}},
            ("scale",),
            "low",
        ),
        ({"kind": "nothing"}, ("kind",), "nothing"),
        ({"title": ""}, ("title",), "empty"),
    ],
)
def test_each_complaint_points_at_its_field(
    changes: dict[str, object], where: tuple[str | int, ...], words: str
) -> None:
    data = {"title": "T", "branches": [branch()], **changes}
    (complaint, *_) = complaints(data, name="any")
    assert complaint.where == where, complaint.message
    assert words in complaint.message


def test_fifty_branches_are_fine() -> None:
    assert complaints({"title": "T", "branches": many(50)}, name="any") == ()


def test_a_deadline_that_is_false_is_none() -> None:
    data = tomllib.loads('title = "T"\n[deadlines]\nidle_s = false\n')
    workflow = parse({**data, "branches": [branch()]}, name="any")
    assert workflow.deadlines.idle_s is None
    assert complaints({**data, "branches": [branch()]}, name="any") == ()


DOCS = (Path(__file__).resolve().parents[2] / "docs" / "workflows.md").read_text("utf-8")


def test_every_file_in_the_docs_is_a_workflow() -> None:
    files = re.findall(r"^```toml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    assert len(files) >= 2
    assert all(read_toml(text, name="from-the-docs").active for text in files)


def test_every_field_of_every_kind_is_in_the_docs() -> None:
    specs = (*KINDS.values(), BranchSpec, AggregateSpec, VoteSpec, DeadlineSpec, CallDefaults)
    fields = {field for spec in specs for field in spec.model_fields} - {"name"}
    fields |= {f"rubric.{field}" for field in CriterionSpec.model_fields}
    fields |= {f"scale.{field}" for field in ScaleSpec.model_fields}
    words = set(re.findall(r"`\[*([a-z_.]+)\]*`", DOCS))
    words |= {word.removeprefix("branches.") for word in words}
    assert fields - words == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_that_is_tried_alone_is_asked_what_it_would_be_asked_in_a_run(kind: str) -> None:
    workflow = skeleton(kind, name="any", title="Any")

    def resolve(name: str) -> ModelRef:
        return ModelRef(endpoint=EndpointId("here"), model=name)

    for branch, planned in zip(workflow.active, plan(workflow, "a topic", resolve), strict=True):
        alone = single(workflow, branch)
        assert plan(alone, "a topic", resolve) == (planned,)
        assert alone.aggregate is None


def test_a_branch_alone_needs_no_votes_of_others() -> None:
    data = skeleton("moderation", name="any", title="Any").model_dump(exclude={"name"})
    strict = parse({**data, "vote": {"rule": "k_of_n", "k": 3}}, name="any")
    assert single(strict, strict.active[0]).active[0].id == strict.active[0].id


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

"""Whatever stands in a run, its program is the same program with other texts in it."""

from __future__ import annotations

import ast
import sys
import time
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fanout.export.code.literals import Slot, joined, literal
from fanout.export.code.script import python_script
from fanout.snapshot import Branch, Snapshot
from fanout.store.values import StoredRun
from fanout.types import MadeWith, ModelRef, RunId
from fanout.workflows.definition import Workflow
from fanout.workflows.quoting import marker_of
from fanout.workflows.run import plan, vote
from tests.export.coding import WRITERS, changed
from tests.rig import HERE

NASTY = (
    '"""\nimport os; os.abort()\n"""',
    "'''; raise SystemExit; '''",
    "{TOPIC} {0} {__import__('os')} }} {{ {",
    "\\",
    'ends with a backslash \\" and a quote "',
    "\x00\x07\x1b[31m \ud800 \u202eevil\u202c \u2066x\u2069",
    "טקסט מימין לשמאל، نص",
    "# coding: ascii\r\n\t$name $$ %s",
    "a" * 5_000 + "\n" * 50 + " " * 300 + "\n",
    '""""""',
)
TEXT = st.one_of(st.sampled_from(NASTY), st.text(st.characters(), min_size=1, max_size=120))


def snapshot_of(
    workflow: Workflow, topic: str, model: str = "m", run_id: str = "run", title: str = ""
) -> Snapshot:
    """A run that has only just begun."""
    ref = ModelRef(endpoint=HERE, model=model)
    plans = plan(workflow, topic, lambda _name: ref, marker_of(run_id))
    return Snapshot(
        run_id=RunId(run_id),
        workflow=workflow.name,
        title=title or workflow.title,
        topic=topic,
        started_at=1e9,
        branches=tuple(Branch(plan=one) for one in plans),
        kind=workflow.kind,
        vote=vote(workflow, topic),
        made_with=MadeWith(model=ref, definition=workflow.model_dump(mode="json")),
        aggregate_kind=workflow.aggregate.kind if workflow.aggregate else None,
    )


def calls_in(source: str) -> list[Any]:
    """The branches of a script, of which only the part before its first function is carried out."""
    head, client, _ = source.partition("\n\n\nclient = ")
    assert client
    program = ModuleType("program_of_a_test")
    with pytest.MonkeyPatch.context() as patch:
        # Dataclasses look up the module that they stand in.
        patch.setitem(sys.modules, program.__name__, program)
        exec(compile(head, "program", "exec"), program.__dict__)
    found: list[Any] = program.__dict__["BRANCHES"]
    return found


def names_in(source: str) -> set[str]:
    """Everything that the program refers to, but for the names of its prompts."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case _:
                pass
    return {name for name in found if "PROMPT" not in name}


@settings(deadline=None, max_examples=60)
@given(topic=TEXT, model=TEXT, run_id=TEXT, title=TEXT)
@example(topic=NASTY[0], model=NASTY[0], run_id=NASTY[0], title=NASTY[0])
@example(topic=NASTY[5], model=NASTY[5], run_id=NASTY[5], title=NASTY[5])
@pytest.mark.parametrize("name", ["creative-trio", "moderation", "judges"])
def test_no_topic_model_id_or_title_becomes_code(
    name: str, topic: str, model: str, run_id: str, title: str
) -> None:
    workflow = changed(name)
    # One line of hyphens would make two texts of one, and so another program.
    topic = topic.replace("-", "")
    snapshot = snapshot_of(workflow, topic, model, run_id, title)
    for write in WRITERS.values():
        source = write(snapshot)
        assert source.encode()
        assert names_in(source) == names_in(write(snapshot_of(workflow, "rain")))
    sent = [(call.model, call.system, call.prompt) for call in calls_in(python_script(snapshot))]
    assert sent == [
        (b.plan.model.model, b.plan.messages[0].content, b.plan.messages[1].content)
        for b in snapshot.branches
    ]


@settings(deadline=None, max_examples=60)
@given(system=TEXT, shared=TEXT, prompt=TEXT, title=TEXT, role=TEXT, tone=TEXT, topic=TEXT)
def test_no_text_of_a_workflow_becomes_code(
    system: str, shared: str, prompt: str, title: str, role: str, tone: str, topic: str
) -> None:
    def known(text: str) -> str:
        # Pydantic takes no lone surrogates, whoever sends them.
        return text.encode("utf-8", "replace").decode()

    def template(text: str) -> str:
        return known(text).replace("{", "{{").replace("}", "}}") + " {topic}"

    branches = [
        {"id": "one", "title": f"1 {template(title)}"[:70], "prompt": template(prompt)},
        {"id": "two", "title": "Two", "variables": {"role": template(role)}},
        {"id": "three", "title": "Three"},
    ]
    workflow = changed(
        "creative-trio",
        variables={"role": "a cook", "tone": known(tone)},
        system=template(system) + " {tone}",
        shared=template(shared) + " {role}",
        prompt="As {role}, {tone}: " + template(prompt),
        branches=branches,
    )
    snapshot = snapshot_of(workflow, topic)
    calls = calls_in(python_script(snapshot))
    ours = [branch.plan for branch in snapshot.branches]
    assert [call.title for call in calls] == [plan.title for plan in ours]
    for call, one in zip(calls, ours, strict=True):
        # What stands at the edge of a text may hold blanks that come with a topic of only those.
        assert call.prompt.split() == one.messages[-1].content.split()
        assert call.system.split() == one.messages[0].content.split()


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(TEXT, st.just(Slot(code="TOPIC"))), max_size=5))
def test_a_literal_is_the_text_that_it_was_made_of(pieces: list[str | Slot]) -> None:
    source = f"text = {literal(joined(pieces), before=7)}"
    namespace: dict[str, Any] = {"TOPIC": "{rain}"}
    exec(compile(source, "literal", "exec"), namespace)
    assert namespace["text"] == "".join("{rain}" if isinstance(p, Slot) else p for p in pieces)


def test_a_definition_that_no_longer_reads_leaves_the_prompts_as_they_were_sent() -> None:
    snapshot = snapshot_of(changed("review"), "rain")
    assert snapshot.made_with is not None
    definitions: tuple[dict[str, object], ...] = ({"kind": "seance"}, {"branches": []}, {})
    for definition in definitions:
        broken = replace(snapshot.made_with, definition=definition)
        source = python_script(replace(snapshot, made_with=broken))
        assert "the prompts stand here as they were sent" in " ".join(source.split())
        assert 'List 3 advantages of "rain"' in "".join(call.prompt for call in calls_in(source))


def test_titles_that_no_terminal_shows_are_mended() -> None:
    snapshot = snapshot_of(changed("review"), "rain")
    first, *others = snapshot.branches
    odd = replace(first, plan=replace(first.plan, title="Pros \ud800"))
    imported = replace(snapshot, made_with=None, branches=(odd, *others))
    assert next(call.title for call in calls_in(python_script(imported))) == "Pros ?"


def test_a_huge_topic_is_written_in_a_moment() -> None:
    for topic in ("word " * 40_000, "x" * 200_000, "line\n" * 40_000):
        began = time.process_time()
        source = python_script(snapshot_of(changed("review"), topic.strip()))
        assert time.process_time() - began < 5
        assert max(map(len, source.splitlines())) <= 100


def test_a_stored_run_gives_the_same_program_as_its_picture() -> None:
    snapshot = snapshot_of(changed("review"), "rain")
    for write in WRITERS.values():
        assert write(StoredRun(events=(), snapshot=snapshot)) == write(snapshot)


def test_a_run_one_after_another_is_written_so() -> None:
    snapshot = snapshot_of(changed("review"), "rain")
    assert snapshot.made_with is not None
    one_by_one = replace(snapshot, made_with=replace(snapshot.made_with, sequential=True))
    assert "\nAT_ONCE = 8\n" in python_script(snapshot)
    assert "\nAT_ONCE = 1\n" in python_script(one_by_one)


def test_no_key_stands_in_a_program() -> None:
    snapshot = snapshot_of(changed("review"), "rain")
    for write in WRITERS.values():
        assert write(snapshot).count("OPENAI_API_KEY") == 2

"""A workflow written as TOML reads back as itself, and the docs say what may stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
from fanout.workflows.parsing import KINDS, parse
from fanout.workflows.policy_specs import (
    BudgetSpec,
    FanInSpec,
    HedgingSpec,
    PolicySpec,
    RetrySpec,
)
from fanout.workflows.specs import (
    AggregateSpec,
    BranchSpec,
    CallDefaults,
    CriterionSpec,
    DeadlineSpec,
    ScaleSpec,
    Spec,
    VoteSpec,
)
from fanout.workflows.user_workflows import read_toml
from fanout.workflows.variables import TAKEN
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
VARIABLES = st.dictionaries(
    st.from_regex(r"[^\W\d]\w{0,9}", fullmatch=True).filter(
        lambda name: name.isidentifier() and name not in TAKEN
    ),
    TEXTS,
    max_size=3,
)
NAMES = st.lists(TEXTS, max_size=3)
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
            "fallback": draw(st.none() | NAMES),
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
        "fallback": st.none() | NAMES,
    },
)
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "retries": st.fixed_dictionaries(
            {}, optional={"attempts": st.integers(1, 10), "total_s": st.floats(0.001, 86_400)}
        ),
        "fan_in": st.fixed_dictionaries(
            {}, optional={"k": st.none() | st.integers(1, 9), "deadline_s": st.floats(1, 60)}
        ),
        "hedging": st.fixed_dictionaries({}, optional={"enabled": st.booleans()}),
        "prefix": st.sampled_from(["auto", "on", "off"]),
        "budget": st.fixed_dictionaries(
            {},
            optional={
                "usd": st.decimals("0.000000001", "99999", places=9).map(str),
                "tokens": st.none() | st.integers(1, 10**12),
            },
        ),
        "run_s": st.none() | st.floats(60, 86_400),
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
        "variables": VARIABLES,
        "defaults": st.fixed_dictionaries({}, optional={"temperature": NUMBERS, "fallback": NAMES}),
        "policies": POLICIES,
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


def test_only_the_policies_that_somebody_chose_stand_in_a_file() -> None:
    data = {
        "title": "Mine",
        "prompt": "{topic}",
        "branches": [{"id": "a", "title": "A", "fallback": ["other/b"]}],
        "policies": {"retries": {"attempts": 2}, "fan_in": {"k": 1}, "budget": {"usd": "0.10"}},
    }
    text = written(parse(data, name="mine"))
    assert 'fallback = ["other/b"]' in text
    assert text[text.index("[policies") : text.index("[[branches")] == (
        "[policies.retries]\nattempts = 2\n\n[policies.fan_in]\nk = 1\n\n"
        '[policies.budget]\nusd = "0.10"\n\n'
    )
    assert "policies" not in written(parse({**data, "policies": {}}, name="mine"))


DOCS = (Path(__file__).resolve().parents[2] / "docs" / "workflows.md").read_text("utf-8")


def test_every_file_in_the_docs_is_a_workflow() -> None:
    files = re.findall(r"^```toml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    assert len(files) >= 2
    assert all(read_toml(text, name="from-the-docs").active for text in files)


def test_every_field_of_every_kind_is_in_the_docs() -> None:
    specs = (*KINDS.values(), BranchSpec, AggregateSpec, VoteSpec, DeadlineSpec, CallDefaults)
    fields = {field for spec in specs for field in spec.model_fields} - {"name"}
    tables: dict[str, type[Spec]] = {
        "retries": RetrySpec, "fan_in": FanInSpec, "hedging": HedgingSpec, "budget": BudgetSpec,
    }  # fmt: skip
    fields |= {f"{name}.{field}" for name, spec in tables.items() for field in spec.model_fields}
    fields |= set(PolicySpec.model_fields) - set(tables)
    fields |= {f"rubric.{field}" for field in CriterionSpec.model_fields}
    fields |= {f"scale.{field}" for field in ScaleSpec.model_fields}
    words = set(re.findall(r"`\[*([a-z_.]+)\]*`", DOCS))
    words |= {word.removeprefix("branches.") for word in words}
    assert fields - words == set()

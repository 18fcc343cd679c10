"""Every way of combining and every rule of counting, as programs: run here, formatted, typed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fanout.insight.votes import run_outcome
from fanout.providers.script import Script
from fanout.snapshot import Snapshot
from fanout.voting.tally import Tally
from fanout.workflows.combining.defaults import default_spec
from fanout.workflows.definition import Workflow
from fanout.workflows.specs import AggregateKind
from tests.export.coding import STATUS, WRITERS, Asked, asked, changed, ran, run_here
from tests.workflows.documents import filled

QUESTION = "Why was the wind project delayed?"
KINDS: tuple[AggregateKind, ...] = (
    "synthesis", "guided", "table", "best", "vote", "scores", "cited", "fused", "concatenation",
)  # fmt: skip
RULES = ("plurality", "majority", "unanimity", "any_block", "k_of_n", "weighted")


def combined(name: str, kind: AggregateKind, **changes: object) -> Workflow:
    spec = default_spec(kind).model_dump(mode="json")
    return changed(name, aggregate={**spec, **changes})


def by_models() -> Workflow:
    """Three branches of three models, which judge each other."""
    names = ("small", "medium", "large")
    branches = [{"id": one, "title": one.title(), "model": one} for one in names]
    return changed(
        "models", branches=branches, aggregate=default_spec("best").model_dump(mode="json")
    )


CASES: dict[str, Workflow] = {
    **{f"trio-{kind}": combined("creative-trio", kind) for kind in KINDS},
    "trio-uncombined": changed("creative-trio", aggregate=None),
    "trio-points": combined("creative-trio", "guided", points=["cost", 'the "why" {here}']),
    "models-best": by_models(),
    **{
        f"moderation-{rule}": changed(
            "moderation",
            vote={"rule": rule, "k": 2 if rule == "k_of_n" else None, "early_stop": "never"},
        )
        for rule in RULES
    },
    "moderation-synthesis": combined("moderation", "synthesis"),
    "judges-synthesis": combined("judges", "synthesis"),
    "judges-best": combined("judges", "best"),
    "reasoning-k": changed("reasoning", vote={"rule": "k_of_n", "k": 2, "early_stop": "never"}),
    "research-fused": combined("research", "fused"),
    "research-synthesis": combined("research", "synthesis"),
    "research-best": combined("research", "best"),
}

MANY_PIECES = (
    "trio-guided", "trio-table", "trio-fused", "trio-uncombined", "models-best", "judges-best",
    "moderation-k_of_n", "moderation-unanimity", "judges-synthesis", "reasoning-k",
    "research-fused", "research-synthesis",
)  # fmt: skip
"""Cases that together hold about every piece of Python."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Snapshot, Asked]]:
    """Each case as it was run, with what it asked."""
    found: dict[str, tuple[Snapshot, Asked]] = {}
    with filled(tmp_path_factory.mktemp("documents")) as library:
        for name, workflow in CASES.items():
            topic = QUESTION if workflow.kind == "research" else workflow.examples[0]
            snapshot, requests = ran(workflow, topic, Script(), library)
            found[name] = (snapshot, asked(requests))
    return found


@pytest.mark.parametrize("kind", list(WRITERS))
@pytest.mark.parametrize("name", list(CASES))
def test_a_program_of_any_kind_asks_the_same_and_ends_alike(
    name: str,
    kind: str,
    runs: dict[str, tuple[Snapshot, Asked]],
    tmp_path: Path,
) -> None:
    snapshot, requests = runs[name]
    done = run_here(WRITERS[kind](snapshot), Script(), tmp_path)
    assert asked(done.requests) == requests
    assert done.status == STATUS[snapshot.status]
    if snapshot.aggregate is not None and snapshot.aggregate.text:
        first = snapshot.aggregate.text.splitlines()[0].partition(":")[0]
        assert first.strip("*") in done.last(snapshot.aggregate.branch.title)
    outcome = run_outcome(snapshot)
    if isinstance(outcome, Tally) and outcome.winner is not None and "synthesis" not in name:
        assert f"**{outcome.winner.capitalize()}: " in done.printed


@pytest.mark.parametrize("without", [False, True], ids=["templates", "as-sent"])
def test_programs_are_formatted_and_sorted_as_ruff_wants_them(
    without: bool, runs: dict[str, tuple[Snapshot, Asked]], tmp_path: Path
) -> None:
    write_all(runs, tmp_path, as_sent=without)
    rules = ("--select", "E,F,W,I,UP,B,SIM,RET,C4", "--no-cache")
    for command in (("format", "--diff", "--no-cache"), ("check", *rules)):
        style = ("--isolated", "--line-length", "100", "--target-version", "py311")
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *style, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def write_all(runs: dict[str, tuple[Snapshot, Asked]], folder: Path, *, as_sent: bool) -> None:
    for name, (snapshot, _) in runs.items():
        taken = replace(snapshot, made_with=None) if as_sent else snapshot
        for kind, write in WRITERS.items():
            path = folder / f"{name.replace('-', '_')}_{kind}.py"
            path.write_text(write(taken), encoding="utf-8")


def test_programs_pass_a_strict_type_check(
    runs: dict[str, tuple[Snapshot, Asked]], tmp_path: Path
) -> None:
    for name in MANY_PIECES:
        for kind, write in WRITERS.items():
            path = tmp_path / f"{name.replace('-', '_')}_{kind}.py"
            path.write_text(write(runs[name][0]), encoding="utf-8")
    strict = ("--strict", "--python-version", "3.11", "--config-file=", "--cache-dir=/dev/null")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *strict, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout

"""What each strategy found beside the fusion: tables, sentences, chart, and passages that open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.lowlevel import checkpoint
from streamlit.testing.v1 import AppTest

from components import session
from components.found_passages import (
    DASH,
    Findings,
    findings,
    insight,
    passages_frame,
    strategies_frame,
)
from components.research_chart import research_chart
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from fanout.retrieval.fusion import fuse
from fanout.retrieval.passages import Hit, Passage
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import AGGREGATE, BranchId, BranchPlan, EndpointId, ModelRef, RunId
from fanout.workflows.library import shipped
from fanout.workflows.specs import AggregateSpec

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
MODEL = ModelRef(endpoint=EndpointId("here"), model="m")
RESEARCH = shipped().get("research")
STRATEGIES = ("as-asked", "keywords", "step-back")


def hit(letter: str, rank: int) -> Hit:
    passage = Passage(
        id=f"{letter}-1", document=letter, title=f"{letter}.md", text=f"Text of {letter}.",
        ordinal=1, start=0, end=10, place="",
    )  # fmt: skip
    return Hit(passage=passage, rank=rank, score=1.0 / rank, source="bm25")


def branch(id: str, found: str) -> Branch:
    plan = BranchPlan(id=BranchId(id), title=id.capitalize(), model=MODEL, messages=())
    hits = tuple(hit(letter, rank) for rank, letter in enumerate(found, 1))
    return Branch(plan=plan, queries=(f"query of {id}",), hits=hits)


def run_of(*found: str, used: tuple[str, ...] = STRATEGIES, cited: int = 3) -> Snapshot:
    """A run whose strategies found these letters, best first, and an answer from `cited`."""
    branches = tuple(branch(id, each) for id, each in zip(STRATEGIES, found, strict=False))
    fused = fuse({one.id: one.hits for one in branches if one.id in used})
    plan = BranchPlan(id=AGGREGATE, title="Answer", model=MODEL, messages=())
    aggregate = Aggregate(
        kind="cited", heading="Answer", used=tuple(BranchId(id) for id in used),
        branch=Branch(plan=plan), passages=fused[:cited],
    )  # fmt: skip
    return Snapshot(
        run_id=RunId("r"), workflow="research", title="Research", topic="t", started_at=0.0,
        kind="research", branches=branches, aggregates=(aggregate,),
    )  # fmt: skip


def of(snapshot: Snapshot) -> Findings:
    return findings(snapshot, snapshot.aggregate, RESEARCH)


def test_the_table_holds_the_rank_in_each_strategy_and_a_dash_where_it_was_not_found() -> None:
    frame = passages_frame(of(run_of("ab", "bc", "bd")))
    rows = {row["Passage"][0]: row for row in frame.to_dict("records")}
    assert list(frame["Fused"]) == [1, 2, 3, 4]
    assert list(frame["Cited"]) == ["[1]", "[2]", "[3]", DASH]
    assert [rows["b"][column] for column in "ABC"] == ["2", "1", "1"]
    assert [rows["a"][column] for column in "ABC"] == ["1", DASH, DASH]


def test_numbers_of_passages_are_those_of_the_answers_citations() -> None:
    snapshot = run_of("abc", "cab", "bca")
    assert snapshot.aggregate is not None
    assert of(snapshot).cited == snapshot.aggregate.passages


def test_a_strategy_that_was_left_out_is_out_of_table_and_fusion() -> None:
    found = of(run_of("ab", "xy", "ab", used=("as-asked", "step-back")))
    assert [one.name for one in found.strategies] == ["A As-asked", "C Step-back"]
    assert found.left_out == ("Keywords",)
    titles = " ".join(passages_frame(found)["Passage"])
    assert "x.md" not in titles and "B" not in passages_frame(found).columns


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (("ab", "bc", "bd"), "2 of the 4 cited passages were not found by the question as asked."),
        (("abcd", "abc", "abcd"), "The question as asked found all 4 cited passages by itself."),
        (("abcd", "abc", "abcd"), "Keywords alone would have missed 1 of 4."),
        (("abcd", "badc", "dcba"), "Every strategy found all 4 cited passages"),
        (("", "ab", "cd"), "4 of the 4 cited passages were not found by the question as asked."),
    ],
)
def test_one_sentence_says_what_the_fusion_brought(found: tuple[str, ...], words: str) -> None:
    assert words in insight(of(run_of(*found, cited=4)))


def test_nothing_is_claimed_of_a_single_strategy_or_without_citations() -> None:
    assert insight(of(run_of("ab", used=("as-asked",)))) == ""
    assert insight(of(run_of("", "", ""))) == ""


def test_strategies_tell_their_queries_and_their_share_of_the_answer() -> None:
    frame = strategies_frame(of(run_of("ab", "bc", "bd", cited=4)))
    assert list(frame["Searched for"]) == [f"query of {id}" for id in STRATEGIES]
    assert list(frame["Of the 4 cited"]) == [2, 2, 2]


def test_the_chart_puts_each_citation_at_its_rank_in_each_column() -> None:
    found = of(run_of("ab", "bc", "bd"))
    figure = research_chart(found, dark=False)
    traces = [trace.to_plotly_json() for trace in figure.data]
    dots = {trace["x"][0]: trace for trace in traces if trace["mode"] == "markers+text"}
    number = {one.passage.id[0]: str(i) for i, one in enumerate(found.cited, 1)}
    assert list(dots["Fused"]["y"]) == [1, 2, 3]
    assert dict(zip(dots["A"]["text"], dots["A"]["y"], strict=True)) == {
        number["a"]: 1,
        number["b"]: 2,
    }


def test_without_a_combined_answer_what_was_found_is_still_there() -> None:
    found = findings(run_of("ab", "bc", "bd"), None, RESEARCH)
    assert not found.cited and len(found.others) == 4
    assert research_chart(found, dark=True).data


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    script = Script(
        rules=(Rule(prompt="Passages to read.", replies=(Reply(text="They pay [1][2]."),)),),
        otherwise=Reply(text="members pay shared power"),
    )
    with serving(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "scripted")
        yield session.runtime()
        session.close_runtime()


def finished(runtime: Runtime) -> RunHandle:
    model = runtime.chosen_model()
    handle = runtime.engine.start(RESEARCH, "What does a member have to pay?", model)
    handle.wait(timeout_s=20)
    assert handle.snapshot.aggregate is not None
    return handle


def opened(handle: RunHandle) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30)
    app.query_params["run"] = handle.id
    app.run()
    assert not app.exception
    return app


def first_passage(app: AppTest) -> str:
    """What is shown of the document of [1]."""
    marked = [block.proto.body for block in app.get("html") if "<mark" in block.proto.body]
    return str(marked[0])


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption)).replace("\\", "")


def test_a_finished_run_shows_its_passages_and_each_opens_in_its_document(
    runtime: Runtime,
) -> None:
    handle = finished(runtime)
    app = opened(handle)
    assert handle.snapshot.aggregate is not None
    passages = handle.snapshot.aggregate.passages
    titles = [one.label.replace("\\", "") for one in app.expander]
    for number, one in enumerate(passages, 1):
        assert any(t.startswith(f"[{number}] {one.passage.title}") for t in titles), titles
    shown = first_passage(app)
    around = runtime.library.context(passages[0].passage.id, None)
    assert around is not None and around[1][:30] in shown
    assert len(shown) > len(passages[0].passage.text)


def test_a_removed_document_still_opens_and_says_so(runtime: Runtime) -> None:
    handle = finished(runtime)
    for document in runtime.library.documents():
        runtime.library.remove(document.id)
    app = opened(handle)
    assert "<mark" in first_passage(app)
    assert "was removed since" in said(app)


def test_a_purged_document_leaves_the_passage_as_it_was_found(runtime: Runtime) -> None:
    handle = finished(runtime)
    for document in runtime.library.documents():
        runtime.library.remove(document.id)
    runtime.library.purge(removed_before=4e9)
    app = opened(handle)
    assert "<mark" in first_passage(app)
    assert "not here any more" in said(app)


def test_of_several_answers_one_is_looked_at(runtime: Runtime) -> None:
    handle = finished(runtime)
    spec = AggregateSpec(kind="fused", title="Fused list")
    handle.combine(spec, left_out=[BranchId("keywords")])
    # One turn of the loop, so that it has begun before it is waited for.
    runtime.engine.call(checkpoint)
    handle.wait(timeout_s=20)
    app = opened(handle)
    pick = app.selectbox(key=f"research_of-{handle.id}")
    assert "Left out of this answer" not in said(app)
    pick.set_value(handle.snapshot.aggregates[1].id).run()
    assert "Left out of this answer, and of what follows: Keywords" in said(app)

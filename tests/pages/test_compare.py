"""The Compare page as a script: choosing runs, side by side, variants, and the blind vote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from components import session
from fanout.engine.handle import RunHandle
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.types import RunId
from fanout.workflows.library import shipped

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
HOSTILE = "<script>window.x=1</script> **bold** $x$ :material/home:"
PARTS = "## Joke\nHa.\n\n## Story\nOnce.\n\n## Poem\nRoses.\n\n## Synthesis\nAll of it at once."
SCRIPT = Script(
    rules=(
        Rule(prompt="hostile", replies=(Reply(text=HOSTILE),)),
        Rule(prompt="following 4 tasks", replies=(Reply(text=PARTS),)),
        Rule(prompt="unhurried", replies=(Reply(text="slow words " * 400, tokens_per_s=40),)),
        Rule(prompt="[Joke]", replies=(Reply(text="All three, in one piece."),)),
    ),
    otherwise=Reply(text="Fine words, one after the other."),
    models=("scripted", "other"),
)


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerHandle]:
    """A scripted endpoint, and the app's own engine asking it."""
    with serving(SCRIPT) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "scripted")
        yield server
        session.close_runtime()


def started(topic: str = "remote work", workflow: str = "creative-trio") -> RunHandle:
    runtime = session.runtime()
    return runtime.engine.start(shipped().get(workflow), topic, runtime.chosen_model())


def ended(topic: str = "remote work", workflow: str = "creative-trio") -> RunHandle:
    handle = started(topic, workflow)
    assert handle.wait(timeout_s=20).status.finished
    return handle


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    for name, value in query.items():
        app.query_params[name] = value
    return drawn(app.switch_page("../pages/compare.py").run())


def drawn(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def pressed(app: AppTest, key: str) -> AppTest:
    return drawn(app.button(key=key).click().run())


def named(app: AppTest, name: str) -> str:
    """One entry of the address."""
    found = app.query_params.get(name, "")
    return found if isinstance(found, str) else found[0]


def said(app: AppTest) -> str:
    texts = [
        element.value
        for element in (*app.caption, *app.markdown, *app.error, *app.warning, *app.info)
    ]
    texts += [element.value for element in (*app.header, *app.subheader)]
    return "\n".join(texts).replace("\\", "")


def html(app: AppTest) -> list[str]:
    return [element.proto.body for element in app.get("html")]


def table(app: AppTest, column: str) -> pd.DataFrame:
    """The table that has a column of that name."""
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def everything(app: AppTest) -> str:
    """All that the page sends to the browser."""
    return "\n".join([*map(str, app.main), *(str(e.proto) for e in app.get("html")), said(app)])


def test_without_runs_the_page_says_what_it_is_for_and_searches() -> None:
    mine, other = ended("remote work"), ended("electric vans")
    app = opened()
    assert "two to four runs" in said(app)
    assert "remote work" in said(app) and "electric vans" in said(app)
    drawn(app.text_input(key="compare_search").set_value("vans").run())
    assert "electric vans" in said(app) and "remote work" not in said(app)
    pressed(app, f"compare-add-{other.id}")
    drawn(app.text_input(key="compare_search").set_value("").run())
    pressed(app, f"compare-add-{mine.id}")
    assert named(app, "runs") == f"{other.id},{mine.id}"
    assert "What was set up differently" in said(app)


def test_runs_stand_side_by_side_with_texts_numbers_and_set_up() -> None:
    one, other = ended(), ended(workflow="review")
    app = opened(runs=f"{one.id},{other.id}")
    assert "1 Creative trio" in said(app) and "2 Review" in said(app)
    assert any("All three, in one piece." in body for body in html(app))
    measures = table(app, "Measure")
    assert list(measures["Measure"])[:2] == ["State", "Time"]
    setup = table(app, "Set up")
    assert {"Workflow", "Branches"} <= set(setup["Set up"])


def test_texts_can_be_shown_as_differences_and_by_branch() -> None:
    one, other = ended(), ended(workflow="review")
    app = opened(runs=f"{one.id},{other.id}")
    drawn(app.segmented_control(key="compare_way").set_value("Differences").run())
    assert "of the words are the same" in said(app) or "The same words" in said(app)
    drawn(app.selectbox(key="compare_text").set_value("poem").run())
    assert "This run has no Poem" in said(app)


def test_only_one_side_can_be_shown() -> None:
    one, other = ended(), ended(workflow="review")
    app = opened(runs=f"{one.id},{other.id}")
    both = len(html(app))
    drawn(app.segmented_control(key="compare_side").set_value(2).run())
    assert len(html(app)) == both - 1


def test_single_branches_of_one_run_or_of_several_can_be_compared() -> None:
    one = ended()
    app = opened(**{"with": f"{one.id}:joke,{one.id}:poem"})
    assert "1 Creative trio: Joke" in said(app) and "2 Creative trio: Poem" in said(app)
    assert "First token after" in list(table(app, "Measure")["Measure"])


def test_a_part_of_a_run_can_be_chosen_on_the_page() -> None:
    one = ended()
    app = opened(runs=one.id)
    drawn(app.selectbox(key="compare-part-1").set_value("joke").run())
    assert named(app, "with") == f"{one.id}:joke"
    pressed(app, f"compare-add-{one.id}")
    assert named(app, "with") == f"{one.id}:joke,{one.id}"


def test_an_unknown_run_is_explained_and_the_others_stay() -> None:
    one, other = ended(), ended()
    app = opened(runs=f"{one.id},nobody-knows,{other.id}")
    assert "Run nobody-knows is not known here" in said(app)
    assert "What was set up differently" in said(app)
    app = opened(runs=f"{one.id},nobody-knows")
    assert "Find a run" in [field.label for field in app.text_input]


def test_an_unknown_branch_and_a_fifth_column_are_explained() -> None:
    runs = [ended() for _ in range(5)]
    app = opened(**{"with": f"{runs[0].id}:essay,{runs[1].id}:joke"})
    assert "Run 1 has no call named essay" in said(app)
    app = opened(runs=",".join(run.id for run in runs))
    assert "names 5 columns; the first 4 are shown" in said(app)


def test_a_live_run_is_said_to_be_running() -> None:
    one, live = ended(), started("an unhurried thing")
    app = opened(runs=f"{one.id},{live.id}")
    assert "still running" in said(app)
    assert "Still running" in list(table(app, "Measure").iloc[0])
    live.stop()
    live.wait(timeout_s=20)
    drawn(app.run())
    assert "still running" not in said(app)


def test_what_a_model_writes_stays_text_everywhere() -> None:
    one, other = ended("a hostile thing"), ended("another hostile thing")
    for way in ("As they read", "Differences"):
        app = opened(runs=f"{one.id},{other.id}")
        drawn(app.segmented_control(key="compare_way").set_value(way).run())
        assert not any("<script" in body for body in html(app))
        assert HOSTILE not in said(app)


@pytest.mark.parametrize(
    ("button", "title"),
    [
        ("compare-one-prompt", "Creative trio, one prompt"),
        ("compare-sequential", "Creative trio"),
        ("compare-other-model", "Creative trio"),
        ("compare-other-workflow", "Report"),
    ],
)
def test_a_variant_starts_in_one_click_and_leads_to_a_blind_vote(button: str, title: str) -> None:
    one = ended()
    app = opened(**{"with": f"{one.id}:joke,{one.id}:poem"})
    if button == "compare-other-model":
        other = next(o.ref for o in session.runtime().offers() if o.ref.model == "other")
        app.selectbox(key="compare-model").set_value(other)
    if button == "compare-other-workflow":
        app.selectbox(key="compare-workflow").set_value("report")
    pressed(app, button)
    first, second = named(app, "runs").split(",")
    assert (first, named(app, "view")) == (one.id, "blind")
    made = session.runtime().engine.get(second)
    assert made is not None and made.snapshot.made_with is not None
    assert made.snapshot.title == title
    assert made.snapshot.topic == one.snapshot.topic
    assert made.snapshot.made_with.derived_from == one.id
    assert made.snapshot.made_with.sequential == (button == "compare-sequential")
    assert (made.model.model == "other") == (button == "compare-other-model")


def blind(*handles: RunHandle) -> AppTest:
    return opened(runs=",".join(handle.id for handle in handles), view="blind")


def test_before_the_vote_nothing_on_the_page_tells_which_is_which() -> None:
    one, other = ended(), ended(workflow="review")
    app = blind(one, other)
    page = everything(app)
    for hint in ("Creative trio", "Review", "scripted", one.id, other.id, " s ·", "free", "Time"):
        assert hint not in page.replace("remote work", ""), hint
    assert [button.label for button in app.button] == [
        "A is better",
        "B is better",
        "Tie",
        "Both bad",
    ]


def test_a_vote_is_kept_and_only_then_names_and_times_are_told() -> None:
    one, other = ended(), ended(workflow="review")
    app = pressed(blind(one, other), "vote-b")
    (kept,) = session.runtime().store.verdicts.all()
    assert {kept.run_a, kept.run_b} == {one.id, other.id}
    assert kept.choice == "b"
    revealed = table(app, "Your vote")
    titles = {one.id: "Creative trio", other.id: "Review"}
    assert f"You found B better: {titles[kept.run_b]}" in said(app)
    assert list(revealed["Your vote"]) == ["", "better"]
    assert titles[kept.run_a] in revealed["Whose"][0]
    tally = table(app, "Both bad")
    assert list(tally["Differ in"]) == ["Workflow"]
    assert tally["One better"][0] + tally["Other better"][0] == 1
    assert "1 vote in all" in said(app)
    pressed(app, "blind_all")
    assert "What was set up differently" in said(app)


def test_a_pair_is_voted_on_once_in_a_session() -> None:
    app = pressed(blind(ended(), ended()), "vote-tie")
    drawn(app.run())
    assert len(session.runtime().store.verdicts.all()) == 1
    assert "A tie" in said(app)


def test_who_is_a_is_drawn_anew_for_each_session_and_stays_within_one() -> None:
    one, other = ended("a hostile thing"), ended("remote work")
    orders = set()
    for _ in range(24):
        app = blind(one, other)
        first = [body for body in html(app) if "Text A" in body]
        assert [body for body in html(drawn(app.run())) if "Text A" in body] == first
        orders.add(first[0])
    assert len(orders) == 2


def test_three_runs_are_judged_pair_by_pair_and_revealed_at_the_end() -> None:
    runs: list[RunHandle] = [ended(), ended(workflow="review"), ended(workflow="report")]
    app = blind(*runs)
    for n in range(1, 4):
        assert f"Pair {n} of 3" in said(app)
        assert "Creative trio" not in everything(app)
        pressed(app, "vote-a")
    assert len(app.header) == 3
    assert {RunId(v.run_a) for v in session.runtime().store.verdicts.all()} <= {r.id for r in runs}


def test_while_a_run_is_live_the_blind_view_shows_no_text() -> None:
    one, live = ended(), started("an unhurried thing")
    app = blind(one, live)
    assert "A run: still running" in said(app)
    assert not any("Text A" in body for body in html(app))
    live.stop()
    live.wait(timeout_s=20)


def test_who_has_seen_the_names_is_told_so() -> None:
    one, other = ended(), ended()
    app = opened(runs=f"{one.id},{other.id}")
    drawn(app.segmented_control(key="compare_view").set_value("Blind vote").run())
    assert "has seen these texts with their names" in said(app)
    assert named(app, "view") == "blind"


def test_two_runs_without_texts_are_not_put_to_the_vote() -> None:
    live = started("an unhurried thing")
    live.stop()
    live.wait(timeout_s=20)
    app = blind(ended(), live)
    assert "It takes two texts" in said(app)


def test_another_page_and_back_keeps_the_comparison() -> None:
    one, other = ended(), ended()
    app = opened(runs=f"{one.id},{other.id}")
    app.query_params.clear()
    app.switch_page("../pages/models.py").run()
    drawn(app.switch_page("../pages/compare.py").run())
    assert "What was set up differently" in said(app)

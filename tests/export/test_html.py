"""The one-file report: what stands in it, for every workflow and every way in which a run ends."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from fanout.events import RunFinished
from fanout.export.html import html_report
from fanout.insight.practices import practices
from fanout.providers.script import Reply, Script
from fanout.render.headline import headline
from fanout.render.sources import shown_text
from fanout.store.values import Label, StoredRun
from fanout.types import BranchState, RunStatus
from tests.export.html_reading import Report, read_report
from tests.export.stored_runs import NAMES, failed_run, shipped_runs, stored
from tests.folding import folded
from tests.rig import rig, script, trio

ANSWER = (
    "The keeper of the light counted eleven ships before noon. "
    "Rain fell on the harbour for forty days. Nobody knows what 77 gulls wanted.\n\n"
    "- The town built boats out of doors and tables."
)
SAID = {
    "joke": "Rain fell on the harbour for forty days, and the ducks sent thanks.",
    "story": "The keeper of the light counted **eleven ships** before noon.\n\nThen she slept.",
    "poem": "The town built boats\nout of doors and tables.",
}


@pytest.fixture(scope="module")
def told() -> StoredRun:
    """Three branches, and an answer made of their sentences and one of its own."""
    with rig(script(**{k: Reply(text=v) for k, v in {**SAID, "combine": ANSWER}.items()})) as here:
        handle = here.start(trio(), "rain")
        handle.wait(timeout_s=20)
        return stored(handle, Label())


def report(run: StoredRun) -> Report:
    return read_report(html_report(run))


def plain(text: str) -> str:
    return " ".join(re.sub(r"[*_`#>|]", "", text).split())


@pytest.mark.parametrize("name", NAMES)
def test_a_report_of_every_shipped_workflow_holds_all_of_the_run(name: str) -> None:
    run = shipped_runs()[name]
    snapshot, page = run.snapshot, report(run)
    for branch in snapshot.branches:
        assert branch.title in page.text
        # A structured answer is shown as a person reads it, which its own renderer is tested for.
        if branch.plan.form is None and not branch.queries:
            for line in filter(None, map(plain, shown_text(branch).splitlines())):
                assert line.lstrip("-0123456789. ") in page.text, name
        for message in branch.plan.messages:
            assert " ".join(message.content.split()) in page.text
    for made in snapshot.aggregates:
        assert made.heading in page.text
    for practice in practices(snapshot, snapshot.at):
        assert practice.title in page.text and practice.reading in page.text
    said = headline(snapshot)
    assert said is not None and said["number"] in page.text and said["money"] in page.text
    assert " ".join(snapshot.topic.split()) in page.text
    assert run.label.name in page.text and run.label.notes in page.text
    assert all(tag in page.text for tag in run.label.tags)


def test_votes_stand_with_their_rule_their_counts_and_every_ballot() -> None:
    page = report(shipped_runs()["moderation"])
    for words in ("The vote", "Rule: more than half", "valid of 5 asked", "Ballots", "Raw answers"):
        assert words in page.text
    run = shipped_runs()["moderation"]
    for branch in run.snapshot.branches:
        if branch.ballot is not None and branch.ballot.valid:
            assert " ".join(branch.ballot.reason.split()) in page.text


def test_scores_stand_by_criterion() -> None:
    page = report(shipped_runs()["judges"])
    assert "Scores by criterion" in page.text or "Place" in page.text


def test_a_research_report_holds_its_passages_and_who_found_them() -> None:
    run = shipped_runs()["research"]
    page = report(run)
    assert "What was found" in page.text and "Passages it cites" in page.text
    made = run.snapshot.aggregate
    assert made is not None and made.passages
    for one in made.passages:
        assert " ".join(one.passage.text.split()) in page.text
    for branch in run.snapshot.branches:
        assert all(" ".join(query.split()) in page.text for query in branch.queries)


def test_a_sentence_leads_to_the_words_it_came_from(told: StoredRun) -> None:
    page = report(told)
    links = {e.attributes.get("aria-label"): e.attributes["href"] for e in page.all("a")}
    assert str(links["From B Story"]).startswith("#branch-1-answer-1-s1")
    spots = [e for e in page.elements if e.attributes.get("class") == "spot"]
    assert {e.attributes["id"] for e in spots} >= {
        str(links[f"From {name}"])[1:] for name in ("A Joke", "B Story", "C Poem")
    }
    assert "No source found: 77 is in no source" in [*links]
    assert "3 of 4 sentences with a source" in page.text


def test_what_went_into_the_answer_is_marked_across_bold_words(told: StoredRun) -> None:
    html = html_report(told)
    quoted = re.findall(r'<span class="quoted" data-of="answer-1-s1">.*?</span>', html)
    words = " ".join(re.sub("<[^>]*>", "", piece) for piece in quoted)
    assert words == "The keeper of the light counted  eleven ships  before noon."


def test_shares_add_up_and_name_what_came_from_no_branch(told: StoredRun) -> None:
    html = html_report(told)
    shares = re.search(r'<ul class="shares">.*?</ul>', html)
    assert shares is not None
    percent = [int(found) for found in re.findall(r"<b>(\d+)%</b>", shares[0])]
    assert len(percent) == 4 and abs(sum(percent) - 100) <= 2
    assert "no branch" in shares[0]


def test_a_failed_branch_is_told_with_its_reason_and_what_was_done() -> None:
    run = failed_run()
    page = report(run)
    assert "What went wrong, and what was done" in page.text
    failures = [b.failure for b in run.snapshot.branches if b.failure]
    assert failures
    for failure in failures:
        assert failure.message in page.text
    assert "The combined answer was made without it." in page.text
    assert "Asked again by hand" in page.text


def test_a_run_without_trouble_has_no_such_section(told: StoredRun) -> None:
    assert "What went wrong" not in report(told).text


def test_a_run_in_which_everything_failed_says_so() -> None:
    with rig(Script(otherwise=Reply(status=401))) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        page = report(stored(handle))
    assert "No answer after" in page.text
    assert "No combined answer: every branch failed." in page.text
    assert page.text.count("Key not accepted") >= 3


@pytest.mark.parametrize("status", [RunStatus.STOPPED, RunStatus.INTERRUPTED])
def test_a_run_that_ended_early_keeps_what_was_written(told: StoredRun, status: RunStatus) -> None:
    events = told.events[: len(told.events) // 2]
    events += (RunFinished(at=events[-1].at + 0.1, status=status),)
    run = StoredRun(events=events, snapshot=folded(events))
    page = report(run)
    word = {"stopped": "Stopped", "interrupted": "Interrupted"}[status]
    assert f"{word} after" in page.text
    for branch in run.snapshot.branches:
        assert plain(branch.text) in page.text


def test_every_moment_of_a_run_makes_a_report(told: StoredRun) -> None:
    for count in range(1, len(told.events)):
        events = told.events[:count]
        page = report(StoredRun(events=events, snapshot=folded(events)))
        assert "Running: " in page.text


def test_a_live_run_is_told_as_it_stands() -> None:
    slow = Reply(text="word " * 400, tokens_per_s=50)
    with rig(script(joke=slow)) as here:
        handle = here.start(trio())
        for _ in handle.follow():
            if handle.snapshot.branches[0].text and handle.snapshot.branches[2].state.finished:
                break
        page = report(StoredRun(events=handle.events, snapshot=handle.snapshot))
        handle.stop()
        handle.wait(timeout_s=20)
    assert "Running: " in page.text and "so far" in page.text
    assert "Written when the branches are done." in page.text


def test_only_hashed_scripts_and_styles_are_allowed_and_nothing_may_be_loaded(
    told: StoredRun,
) -> None:
    page = report(told)
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy and "http" not in page.policy
    run = [
        text
        for element, text in zip(page.all("script"), page.scripts, strict=True)
        if element.attributes.get("type") != "application/json"
    ]
    assert len(run) == 2
    for text in (*run, *page.styles):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page.policy
    assert not page.values("src") and not page.values("style")


def test_tables_have_headers_and_charts_have_titles_and_descriptions() -> None:
    for name in NAMES:
        page = report(shipped_runs()[name])
        ours = [i for i, e in enumerate(page.elements) if e.attributes.get("class") == "scroll"]
        tags = [[e.tag for e in page.elements[i : i + 4]] for i in ours]
        assert ours and all(found[:2] == ["div", "table"] for found in tags)
        assert len(ours) == len(page.all("table"))
        assert sum(found[2:] == ["caption", "thead"] for found in tags) >= 4
        drawn = [e for e in page.all("svg") if e.attributes.get("role") == "img"]
        assert len(page.all("title")) == len(drawn) + 1, "each drawing, and the page itself"
        assert drawn
        scopes = [e.attributes.get("scope") for e in page.all("th")]
        assert {"col", "row"} <= set(scopes)


def test_headings_begin_with_one_and_skip_no_level() -> None:
    nested = "###### Deep\n\ntext\n\n# Top\n\n#### Four\n\n# Top again"
    with rig(script(story=Reply(text=nested), combine=Reply(text=nested))) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        runs = [*shipped_runs().values(), stored(handle)]
    for run in runs:
        levels = [int(e.tag[1]) for e in report(run).elements if re.fullmatch("h[1-6]", e.tag)]
        assert levels.count(1) == 1 and levels[0] == 1
        assert all(b <= a + 1 for a, b in pairwise(levels))


def test_a_long_topic_stands_below_its_beginning() -> None:
    topic = "A whole contract. " * 60
    with rig(script()) as here:
        handle = here.start(trio(), topic)
        handle.wait(timeout_s=20)
    html = html_report(StoredRun(events=handle.events, snapshot=handle.snapshot))
    heading = re.search("<h1[^>]*>(.*?)</h1>", html)
    assert heading is not None and heading[1].endswith("…") and len(heading[1]) <= 140
    assert topic.strip() in read_report(html).text


def test_the_definition_is_there_as_the_file_that_runs_it_again() -> None:
    page = html_report(shipped_runs()["creative-trio"])
    assert "The workflow as it was run" in page
    assert 'kind = "sectioning"' in page and "[[branches]]" in page


def test_a_definition_of_an_unknown_kind_is_shown_as_it_is() -> None:
    run = shipped_runs()["creative-trio"]
    made = run.snapshot.made_with
    assert made is not None
    unknown = replace(made, definition={"kind": "yet-unknown", "depth": 3})
    page = report(replace(run, snapshot=replace(run.snapshot, made_with=unknown)))
    assert '"kind": "yet-unknown"' in page.text


def test_a_run_without_facts_about_its_making_is_told_all_the_same(told: StoredRun) -> None:
    page = report(replace(told, snapshot=replace(told.snapshot, made_with=None)))
    assert "Rain fell on the harbour" in page.text


def test_a_normal_run_stays_below_a_megabyte() -> None:
    names = tuple(f"branch{i}" for i in range(12))
    words = " ".join(f"word{i % 97} of sentence {i // 12}." for i in range(170))
    assert len(words.split()) >= 500
    replies = {name: Reply(text=f"{name} says: {words}") for name in names}
    with rig(script(**replies, combine=Reply(text=words))) as here:
        handle = here.start(trio(names))
        handle.wait(timeout_s=30)
    assert all(b.state is BranchState.DONE for b in handle.snapshot.branches)
    size = len(html_report(stored(handle)).encode())
    assert size < 1_000_000, f"{size / 1000:.0f} kB"

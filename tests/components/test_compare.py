"""The parts of the Compare page that need no page: addresses, texts, measures, marks and votes."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.compare.marked import compared, difference_html, difference_words, text_html
from components.compare.measures import frame, rows
from components.compare.picks import Pick, address_of, picks_in
from components.compare.sides import COMBINED, Side, Subject, said, sides_of, subjects
from components.compare.tally import Maker, scores
from fanout.engine.handle import RunHandle
from fanout.providers.script import Reply
from fanout.store.values import Choice, Verdict
from fanout.types import ModelRef, RunId
from fanout.workflows.baseline import single_prompt
from fanout.workflows.parsing import parse
from tests.rig import HERE, Rig, rig, script, trio
from tests.workflows.panels import moderation, replies, verdict

IDS = st.text("abcXYZ09_-", min_size=1, max_size=20)
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)"> {x} \u202eevil\x00 & "quoted"'
ONE_PROMPT = (
    "## Joke\nHa.\n\n## Story\nOnce.\n\n## Poem\nRoses.\n\n## Synthesis\nAll three at once."
)


def ended(here: Rig, handle: RunHandle) -> RunHandle:
    assert handle.wait(timeout_s=20).status.finished
    return handle


def compared_runs(*handles: RunHandle, calls: tuple[str, ...] = ()) -> tuple[Side, ...]:
    named = calls or ("",) * len(handles)
    return sides_of(
        [
            (Pick(run=handle.id, call=call), handle)
            for handle, call in zip(handles, named, strict=True)
        ]
    )


def shown(sides: tuple[Side, ...]) -> dict[str, tuple[str, ...]]:
    return {row.title: row.shown for row in rows(sides)}


@given(st.lists(st.builds(Pick, run=IDS, call=IDS | st.just("")), max_size=6, unique=True))
def test_an_address_names_what_it_was_made_of(picks: list[Pick]) -> None:
    assert picks_in(address_of(picks)) == tuple(picks)


def test_runs_and_calls_may_stand_together_and_none_stands_twice() -> None:
    found = picks_in({"runs": "a, b,a,", "with": "b:joke,c,:x,a"})
    assert found == (Pick(run="a"), Pick(run="b"), Pick(run="b", call="joke"), Pick(run="c"))


@pytest.mark.parametrize("make", ["text", "difference"])
def test_nothing_that_a_text_says_becomes_markup(make: str) -> None:
    if make == "text":
        html = text_html(HOSTILE, HOSTILE)
    else:
        html = difference_html(compared("plain", HOSTILE), HOSTILE)
    assert "<script" not in html and "<img" not in html
    assert set(re.findall(r"<(\w+)", html)) <= {"div", "p", "ins", "del"}
    assert "\u202e" not in html.split(">", 1)[1]


def test_added_removed_and_moved_are_elements_of_their_own_and_nothing_is_lost() -> None:
    before = "Take the long road to the sea. Stay."
    after = "Stay. Go by boat; take the long road to the sea."
    html = difference_html(compared(before, after), "Text of 2")
    read = re.sub(r"<del[^>]*>.*?</del>", "", html)
    assert unescape(re.sub(r"<[^>]+>", "", read)) == after
    assert "<ins>" in html and "<del>" in html
    moved = difference_html(compared("a b c d eeee. f", "f a b c d eeee."), "t")
    assert 'class="moved"' in moved or "<ins>f" in moved


def test_what_changed_is_counted_in_words() -> None:
    assert difference_words(compared("same", "same")) == "The same words in the same order"
    words = difference_words(compared("the red cat sat", "the black cat sat down"))
    assert words == "67% of the words are the same · 2 added, 1 removed"


def test_the_better_value_is_named_and_only_where_it_reads_better() -> None:
    quick, slow = Reply(text="One two."), Reply(text="One two.", first_token_s=0.4)
    with rig(script(otherwise=quick)) as here, rig(script(otherwise=slow)) as there:
        sides = compared_runs(ended(here, here.start(trio())), ended(there, there.start(trio())))
        told = shown(sides)
        assert "shortest" in told["Time"][0] and "shortest" not in told["Time"][1]
        assert told["Calls"] == ("4", "4")
        assert "·" not in "".join(told["Failed branches"])
        twice = shown(compared_runs(sides[0].handle, sides[0].handle))
        assert not any(" · " in value for values in twice.values() for value in values)


def test_a_run_that_failed_is_never_the_shortest() -> None:
    with rig(script(otherwise=Reply(status=401))) as here, rig(script()) as there:
        failed = ended(here, here.start(trio()))
        whole = ended(there, there.start(trio()))
        told = shown(compared_runs(failed, whole))
    assert told["State"] == ("Failed", "Finished")
    assert told["Failed branches"][0] == "3"
    assert not any("shortest" in value for value in told["Time"])


def test_votes_are_told_with_their_agreement() -> None:
    with rig(
        replies({"a": verdict("block"), "b": verdict("block"), "c": verdict("allow")})
    ) as here:
        panel = moderation(("a", "b", "c"))
        sides = compared_runs(ended(here, here.start(panel)), ended(here, here.start(panel)))
        told = shown(sides)
        assert told["Vote"][0].startswith("Block")
        assert told["Agreement"][0] == "67% of the votes"
        assert list(frame(sides).columns) == ["Measure", sides[0].name, sides[1].name]


def test_single_calls_have_their_own_measures() -> None:
    with rig(script()) as here:
        handle = ended(here, here.start(trio()))
        sides = compared_runs(handle, handle, calls=("joke", "aggregate"))
        told = shown(sides)
    assert told["State"] == ("Done", "Done")
    assert {"Time", "First token after", "Tokens written", "Cost"} <= set(told)
    assert [one.name for one in sides] == ["1 Trio: Joke", "2 Trio: Synthesis"]


def test_sides_of_the_same_name_are_told_apart_by_how_they_were_asked() -> None:
    with rig(script()) as here:
        together = ended(here, here.start(trio()))
        after = here.engine.start(
            trio(), "rain", together.model, sequential=True, derived_from=together.id
        )
        sides = compared_runs(together, ended(here, after))
        assert [one.name for one in sides] == [
            "1 Trio, all at once",
            "2 Trio, one after another",
        ]
        assert shown(sides)["Overhead"][1] == "–"


def test_the_model_tells_sides_apart_that_were_asked_in_the_same_way() -> None:
    with rig(script()) as here:
        one = ended(here, here.start(trio()))
        bigger = ModelRef(endpoint=HERE, model="bigger")
        other = ended(here, here.engine.start(trio(), "rain", bigger))
        after = ended(here, here.engine.start(trio(), "rain", bigger, sequential=True))
        assert [side.name for side in compared_runs(one, other)] == ["1 Trio, m", "2 Trio, bigger"]
        assert [side.title for side in compared_runs(one, other, after)] == [
            "Trio, all at once, m",
            "Trio, all at once, bigger",
            "Trio, one after another",
        ]


def test_a_one_prompt_answer_is_read_part_by_part() -> None:
    with rig(script(otherwise=Reply(text=ONE_PROMPT))) as here:
        together = ended(here, here.start(trio()))
        alone = ended(here, here.start(single_prompt(trio())))
        sides = compared_runs(together, alone)
        offered = {subject.title: subject for subject in subjects(sides)}
        assert list(offered) == ["Combined answer", "Joke", "Story", "Poem"]
        assert said(sides[1], offered["Combined answer"], sides) == "All three at once."
        assert said(sides[1], offered["Poem"], sides) == "Roses."
        assert said(sides[1], Subject(id="essay", title="Essay"), sides) is None


def test_without_headings_a_one_prompt_answer_is_read_as_a_whole() -> None:
    with rig(script(otherwise=Reply(text="Just words."))) as here:
        alone = ended(here, here.start(single_prompt(trio())))
        sides = compared_runs(ended(here, here.start(trio())), alone)
        assert said(sides[1], Subject(id=COMBINED, title="Combined answer"), sides) == "Just words."


def test_branches_are_matched_by_title_where_their_ids_differ() -> None:
    data = trio().model_dump(exclude={"name"})
    data["branches"][0]["id"] = "jest"
    with rig(script(joke=Reply(text="Ha."))) as here:
        sides = compared_runs(
            ended(here, here.start(trio())), ended(here, here.start(parse(data, name="other")))
        )
        joke = next(subject for subject in subjects(sides) if subject.title == "Joke")
        assert [said(one, joke, sides) for one in sides] == ["Ha.", "Ha."]


def vote(a: str, b: str, choice: Choice) -> Verdict:
    return Verdict(
        run_a=RunId(a), call_a="", run_b=RunId(b), call_b="", choice=choice, given_at=1.0
    )


def test_votes_are_counted_by_what_the_texts_differed_in_whichever_was_a() -> None:
    makers = {
        "p": Maker(how="All at once", models="m", workflow="Trio"),
        "s": Maker(how="One prompt", models="m", workflow="Trio, one prompt"),
        "o": Maker(how="All at once", models="n", workflow="Trio"),
        "w": Maker(how="All at once", models="m", workflow="Report"),
    }
    found = scores(
        [
            vote("p", "s", "a"),
            vote("s", "p", "b"),
            vote("s", "p", "a"),
            vote("p", "s", "tie"),
            vote("p", "o", "both_bad"),
            vote("w", "p", "a"),
            vote("p", "deleted", "a"),
        ],
        makers.get,
    )
    first, *others = found
    assert (first.one, first.other) == ("All at once", "One prompt")
    assert (first.one_better, first.other_better, first.ties, first.both_bad) == (2, 1, 1, 0)
    assert {(one.differ_in, one.both_bad) for one in others} == {("Model", 1), ("Workflow", 0)}
    assert sum(one.votes for one in found) == 6

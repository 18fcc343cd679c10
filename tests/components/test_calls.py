"""Charts and graph with several combined answers, and the calls that prepare them."""

from __future__ import annotations

import pytest
from anyio.lowlevel import checkpoint

from components.calls import colours, figure_names, names
from components.timeline_chart import timeline_frame
from components.workflow_graph import workflow_graph
from fanout.snapshot import Snapshot
from fanout.types import BranchId
from fanout.workflows.combining.defaults import default_spec
from tests.rig import rig, trio


@pytest.fixture(scope="module")
def several() -> Snapshot:
    """A run combined three times: as it was defined, as a best of n, and joined without one."""
    with rig() as engine:
        handle = engine.start(trio())
        handle.wait(20)
        for spec, left_out in (
            (default_spec("best"), ()),
            (default_spec("concatenation"), (BranchId("poem"),)),
        ):
            handle.combine(spec, left_out)
            # The loop does things in order: what was asked before this has begun after it.
            engine.engine.call(checkpoint)
            handle.wait(20)
        return handle.snapshot


def test_every_call_has_a_name_of_its_own(several: Snapshot) -> None:
    found = names(several)
    assert len(found) == len(several.calls) == len(set(found))
    assert found[:4] == ["A Joke", "B Story", "C Poem", "Synthesis"]
    assert found[4:] == ["2 Judge 1", "2 Judge 2", "2 Judge 3", "2 Best answer", "3 All answers"]
    assert len(figure_names(several)) == len(colours(several, dark=False)) == len(found)
    assert len(timeline_frame(several)) == len(found)


def test_the_graph_shows_each_answer_and_what_it_is_made_of(several: Snapshot) -> None:
    figure = workflow_graph(several, dark=False)
    said = [note.text for note in figure.layout.annotations if note.text]
    assert any("2 Best answer" in text and "3 before" in text for text in said)
    assert any("3 All answers" in text for text in said)
    arrows = [note for note in figure.layout.annotations if not note.text]
    from_start, into_answers, to_end = 3, 3 + 3 + 2, 3
    assert len(arrows) == from_start + into_answers + to_end

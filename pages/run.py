"""The main page: type a topic, press Run, watch the columns fill, take the answer away."""

from __future__ import annotations

import streamlit as st

from components import session
from components.board import live_board
from components.branch_editor import branch_editor
from components.budget import budget_meter
from components.choice import input_band
from components.combining import combining
from components.compare.variants import variants
from components.documents import documents_area
from components.empty_state import empty_state, unknown_run
from components.notices import notices
from components.policies import policies_area, policies_line
from components.preflight import preflight
from components.replay import replay_board
from components.results import results
from components.run_bar import run_bar
from components.workflow_gone import workflow_gone

st.title("One topic, several sides at once", anchor=False)

runtime = session.runtime()
run_id = session.run_id_shown()
handle = runtime.engine.get(run_id) if run_id else None

if run_id and handle is None:
    # Above the form, which fills a telephone's screen: who followed a link looks for its run.
    unknown_run(runtime, run_id)
choice = input_band(runtime, handle)
notices(runtime, choice.model)
preflight(runtime, choice)
if not choice.problem:
    policies_line(choice.workflow)
documents_area(runtime, choice.workflow, opened=handle is None)
with st.expander(
    "Edit branches", icon=":material/tune:", key="edit_branches", on_change="rerun"
) as editor:
    if editor.open:
        branch_editor(choice.workflow, runtime.offers())
policies_area(choice.workflow, choice.filed, runtime.offers())

if handle is not None:
    workflow_gone(runtime, handle)
    if run_bar(runtime, handle):
        replay_board(handle)
    else:
        live_board(handle, key="board")
        budget_meter(runtime, handle)
        combining(handle, runtime.offers())
        if handle.snapshot.status.finished:
            results(handle)
            variants(runtime, handle, key="variants")
elif not run_id:
    empty_state(choice.model)

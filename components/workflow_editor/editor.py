"""One workflow, opened: what it is, what can be done with it, and its parts one at a time."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from components.workflow_editor.about import about, shared_prompt
from components.workflow_editor.actions import actions, changed_elsewhere
from components.workflow_editor.branches import branches
from components.workflow_editor.combining import combining
from components.workflow_editor.desk import Desk
from components.workflow_editor.draft import Draft
from components.workflow_editor.fields import Form, sentence
from components.workflow_editor.policies import policies
from components.workflow_editor.preview import preview
from components.workflow_editor.rules import WITH_RULES, rules
from fanout.engine.runtime import Runtime
from fanout.errors import DefinitionError
from fanout.workflows.parsing import Complaint
from fanout.workflows.written import written

PARTS = ("About", "Shared prompt", "Branches", "Combining", "Rules", "Policies", "Preview", "File")
_PART = "workflow_part"
_PART_OF = {
    "title": "About",
    "promise": "About",
    "examples": "About",
    "topic_hint": "About",
    "system": "Shared prompt",
    "shared": "Shared prompt",
    "prompt": "Shared prompt",
    "variables": "Shared prompt",
    "defaults": "Shared prompt",
    "branches": "Branches",
    "models": "Branches",
    "temperatures": "Branches",
    "aggregate": "Combining",
    "deadlines": "Policies",
    "policies": "Policies",
}
"""Where a field is found; the others are rules."""

_STYLE = """<style>
.st-key-workflow_part [aria-checked="true"] *, [class*="st-key-branch-of-"] [aria-checked="true"] *
{ color: inherit !important; }
.st-key-workflow_part [aria-checked="true"], [class*="st-key-branch-of-"] [aria-checked="true"]
{ color: inherit !important; font-weight: 600; }
</style>"""
"""What is chosen has the colour of text: the accent on its own tint is too faint in the dark."""


def editor(runtime: Runtime, desk: Desk, draft: Draft, *, own: bool) -> None:
    """Draw the draft: to be edited where it is the user's own, else to be read."""
    _head(draft, own=own)
    actions(desk, draft, own=own)
    if own and draft.changed:
        changed_elsewhere(desk, draft)
    wrong = draft.complaints()
    _to_mend(draft, wrong)
    st.html(_STYLE)
    # Set rather than given as a default, so that it can be turned to by a click on a complaint.
    parts = [one for one in PARTS if one != "Rules" or draft.kind in WITH_RULES]
    if st.session_state.get(_PART) not in parts:
        st.session_state[_PART] = "Branches"
    part = st.segmented_control(
        "Part",
        parts,
        key=_PART,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    form = Form(draft=draft, complaints=wrong, read_only=not own)
    with st.container(key="workflow_part_body"):
        _part(runtime, form, str(part))


def _part(runtime: Runtime, form: Form, part: str) -> None:
    models = {"": "The model of the run"}
    models |= {f"{o.ref.endpoint}/{o.ref.model}": o.label for o in runtime.offers()}
    match part:
        case "About":
            about(form)
        case "Shared prompt":
            shared_prompt(form)
        case "Branches":
            branches(form, models)
        case "Combining":
            combining(form, models)
        case "Rules":
            rules(form)
        case "Policies":
            policies(form, models)
        case "Preview":
            preview(runtime, form.draft)
        case _:
            _file(form.draft)


def _head(draft: Draft, *, own: bool) -> None:
    st.header(label(draft.title), anchor=False)
    count = len(draft.rows("branches"))
    facts = [draft.kind.capitalize(), f"named {label(draft.name)}"]
    if count:
        facts.insert(1, f"{count} branch{'es' if count != 1 else ''}")
    if not own:
        facts.append(":material/lock: shipped, read-only: duplicate it to change it")
    elif draft.changed:
        facts.append(":orange[:material/edit_note: **unsaved changes**]")
    else:
        facts.append("saved")
    st.markdown(" · ".join(f if f.startswith(":orange") else f":gray[{f}]" for f in facts))


def _to_mend(draft: Draft, wrong: tuple[Complaint, ...]) -> None:
    if not wrong:
        return
    with st.container(border=True, key="to_mend"):
        count = "One thing" if len(wrong) == 1 else f"{len(wrong)} things"
        st.markdown(f":red[:material/error: **{count} to mend before it can be saved or run**]")
        for i, complaint in enumerate(wrong[:8]):
            st.button(
                f"{_where(draft, complaint)}: {label(sentence(complaint), 300)}",
                key=f"mend_{i}",
                type="tertiary",
                icon=":material/arrow_forward:",
                help="Go to the field",
                on_click=_go,
                args=(draft, complaint),
            )


def _where(draft: Draft, complaint: Complaint) -> str:
    part = _PART_OF.get(str(complaint.where[0]), "Rules") if complaint.where else "Workflow"
    place = draft.place(complaint.where)
    row = draft.row(place[0], place[1]) if len(place) > 1 else None
    return part if row is None else f"{part}, {label(str(row.get('title') or row.get('id')), 30)}"


def _go(draft: Draft, complaint: Complaint) -> None:
    draft.collect()
    if complaint.where:
        st.session_state[_PART] = _PART_OF.get(str(complaint.where[0]), "Rules")
    place = draft.place(complaint.where)
    if len(place) > 1 and place[0] == "branches":
        draft.branch = place[1]


def _file(draft: Draft) -> None:
    try:
        text = written(draft.workflow())
    except DefinitionError:
        st.caption("The file can be shown when the things above are mended.")
        return
    st.caption(f"What {label(draft.name)}.toml holds when it is saved. Defaults are left out.")
    st.code(text, language=None, wrap_lines=True)

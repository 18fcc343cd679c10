"""The workflow editor: open, read, change, try, keep.

Drafts live in the session and may be wrong; files hold workflows only.
"""

from __future__ import annotations

from components.workflow_editor.broken import broken
from components.workflow_editor.desk import desk, draft_for
from components.workflow_editor.desk import drafts as _drafts
from components.workflow_editor.draft import draft_of
from components.workflow_editor.editor import editor
from components.workflow_editor.shelf import shelf
from fanout.engine.runtime import Runtime
from fanout.workflows.library import shipped, user_workflows


def workflow_editor(runtime: Runtime) -> None:
    """Draw the shelf and the workflow that is open."""
    here = desk(user_workflows(runtime.settings.home))
    name = shelf(here)
    stored = here.stored.get(name)
    if stored is not None and stored.workflow is not None:
        editor(runtime, here, draft_for(stored, stored.workflow), own=True)
    elif name in _drafts():
        # Its file is gone, or is no workflow any more; the edits are still here.
        editor(runtime, here, _drafts()[name], own=True)
    elif stored is not None:
        broken(here, stored)
    else:
        editor(runtime, here, draft_of(shipped().get(name), ""), own=False)

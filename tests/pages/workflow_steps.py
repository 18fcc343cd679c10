"""What a person does on the workflows page, by widget key, and what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from fanout.workflows.user_workflows import UserWorkflows

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
PARTS = ("About", "Shared prompt", "Branches", "Combining", "Policies", "Preview", "File")
"""Those that every kind has; some have Rules too."""


def opened(name: str = "") -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    app = drawn(app.switch_page("../pages/workflows.py").run())
    return chosen(app, name) if name else app


def drawn(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def chosen(app: AppTest, name: str) -> AppTest:
    return drawn(app.selectbox(key="opened_workflow").set_value(name).run())


def turned_to(app: AppTest, part: str) -> AppTest:
    return drawn(app.segmented_control(key="workflow_part").set_value(part).run())


def pressed(app: AppTest, key: str) -> AppTest:
    return drawn(app.button(key=key).click().run())


def made(app: AppTest, title: str, kind: str = "sectioning", name: str = "") -> AppTest:
    app.text_input(key="new_title").set_value(title)
    app.text_input(key="new-name").set_value(name)
    app.radio(key="new_kind").set_value(kind)
    return pressed(app, "create_workflow")


def said(app: AppTest) -> str:
    elements = (
        *app.header,
        *app.markdown,
        *app.caption,
        *app.error,
        *app.warning,
        *app.code,
    )
    labels = [button.label for button in app.button]
    return "\n".join([*(element.value for element in elements), *labels]).replace("\\", "")


def branch_field(app: AppTest, field: str) -> str:
    """The key of a field of the branch that is shown."""
    keys = [e.key for e in (*app.text_input, *app.text_area, *app.number_input, *app.toggle)]
    (key,) = [k for k in keys if re.fullmatch(rf"wf-.*-branches-row\d+-{field}", k or "")]
    assert key is not None
    return key


def typed_prompt(app: AppTest, text: str) -> AppTest:
    return drawn(app.text_area(key=branch_field(app, "prompt")).set_value(text).run())


def titles(app: AppTest, name: str) -> list[str]:
    """The branches as the chooser offers them."""
    return list(app.pills(key=f"branch-of-{name}").options)


def saved(mine: UserWorkflows, name: str) -> str:
    stored = mine.get(name)
    assert stored is not None
    return stored.text

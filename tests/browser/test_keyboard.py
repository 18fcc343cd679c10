"""Everything by the keyboard alone, with a focus that can be seen at each step."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import ElementHandle, Page, expect

from tests.browser.conftest import App
from tests.browser.steps import OpenPage, expect_answer, region

pytestmark = pytest.mark.browser
MOST_STEPS = 90

FOCUSED = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node;
}"""
NAME = "node => node.getAttribute('aria-label') || node.innerText.split('\\n').pop()"
LOOK = """node => {
  const looks = [];
  for (let i = 0; node instanceof Element && i < 4; i++, node = node.parentElement) {
    const style = getComputedStyle(node);
    const ring = style.outlineStyle === 'none' ? '' : style.outline;
    looks.push([ring, style.boxShadow, style.borderColor].join(' '));
  }
  return looks.join(' | ');
}"""
"""How the element, and what frames it, is outlined right now."""


def focused(page: Page) -> ElementHandle:
    node = page.evaluate_handle(FOCUSED).as_element()
    assert node is not None
    return node


def name_of_focused(page: Page) -> str:
    return str(focused(page).evaluate(NAME)).strip()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until that has the focus, and see that it shows."""
    passed: list[str] = []
    while name not in passed:
        assert len(passed) < MOST_STEPS, f"Tab does not lead to {name!r}; it passed {passed}"
        page.keyboard.press("Tab")
        passed.append(name_of_focused(page))
    node = focused(page)
    with_focus = node.evaluate(LOOK)
    node.evaluate("node => node.blur()")
    assert node.evaluate(LOOK) != with_focus, f"the focus on {name!r} can't be seen"
    node.evaluate("node => node.focus()")


def opened(app: App, open_page: OpenPage) -> Page:
    page = open_page(app.url)
    # Rings that fade in look the same for a moment.
    page.add_style_tag(content="* { transition: none !important; }")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(page.locator("[class*=st-key-try-] button")).to_have_count(10)
    return page


def test_a_run_is_chosen_started_read_and_stopped_without_a_mouse(
    app: App, open_page: OpenPage
) -> None:
    page = opened(app, open_page)
    tab_to(page, "Workflow")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("Review")
    page.keyboard.press("Enter")
    expect(page.get_by_text("then a short verdict").first).to_be_visible()
    expect(page.get_by_role("button", name="adopting a dog")).to_be_visible()
    tab_to(page, "Topic")
    page.keyboard.type("an unhurried day")
    page.keyboard.press("Control+Enter")
    cons = region(page, "Cons")
    expect(cons).to_contain_text("Once upon")

    tab_to(page, "Cons: text")
    expect(cons.locator(".body")).to_have_class(re.compile("scrolled"), timeout=10_000)
    page.keyboard.press("ArrowUp")
    jump = page.get_by_role("button", name="Jump to the latest of Cons")
    expect(jump).to_be_visible()
    tab_to(page, "Jump to the latest of Cons")
    page.keyboard.press("Enter")
    expect(jump).to_be_hidden()
    assert name_of_focused(page) == "Cons: text"

    tab_to(page, "Stop Recommendations")
    page.keyboard.press("Enter")
    expect(region(page, "Recommendations")).to_contain_text("Stopped")
    assert name_of_focused(page) == "Recommendations: text", "the focus stays in its column"
    expect(cons).to_have_attribute("aria-busy", "true")

    tab_to(page, "Stop")
    page.keyboard.press("Space")
    expect(cons).to_contain_text("Stopped")


def test_a_branch_is_copied_and_asked_again_without_a_mouse(app: App, open_page: OpenPage) -> None:
    page = opened(app, open_page)
    tab_to(page, "Topic")
    page.keyboard.type("remote work")
    page.keyboard.press("Control+Enter")
    poem = region(page, "Poem")
    expect(poem).to_contain_text("Once upon")
    tab_to(page, "Stop Poem")
    page.keyboard.press("Enter")
    expect(poem).to_contain_text("Stopped")
    expect_answer(page)

    tab_to(page, "Copy Story")
    page.keyboard.press("Enter")
    expect(page.locator(".board [aria-live]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("Once upon a time there was")
    assert name_of_focused(page) == "Copy Story"

    tab_to(page, "Retry Poem")
    page.keyboard.press("Enter")
    expect(poem).to_have_attribute("aria-busy", "true")
    assert name_of_focused(page) == "Poem: text", "the focus stays in its column"
    expect(region(page, "Combined answer")).to_contain_text("Synthesis of 3 of 3", timeout=30_000)
    expect(poem).to_contain_text("Done")

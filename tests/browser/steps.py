"""What a person does and looks at on the run page, in the words of its roles and names."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

BRANCHES = ("Joke", "Story", "Poem")
OpenPage = Callable[..., Page]

DEEP_FOCUS = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node;
}"""


def region(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def run(page: Page, topic: str = "remote work") -> None:
    page.get_by_label("Topic", exact=True).fill(topic)
    page.get_by_role("button", name="Run", exact=True).click()


def expect_answer(page: Page) -> None:
    expect(region(page, "Combined answer")).to_contain_text("in one piece", timeout=60_000)


def text_of(page: Page, name: str) -> str:
    """The words of a column without its head and foot."""
    return region(page, name).locator(".text").inner_text()


def expect_growth(page: Page, name: str, characters: int = 200) -> None:
    """That many more characters come from now on."""
    least = len(text_of(page, name)) + characters
    expect(region(page, name).locator(".text")).to_have_text(re.compile(rf"[\s\S]{{{least},}}"))

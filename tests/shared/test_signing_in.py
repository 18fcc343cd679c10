"""Nobody sees a page before signing in, and what they see then is theirs."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.shared.conftest import Shared, Someone, newcomer, sign_in

Contexts = Callable[..., BrowserContext]
People = Callable[[str], Someone]


def test_a_stranger_sees_nothing_but_the_way_in(shared: Shared, contexts: Contexts) -> None:
    page = contexts().new_page()
    for path in ("/", "/history", "/compare", "/workflows", "/models"):
        page.goto(shared.url + path)
        expect(page.get_by_role("heading", name="Sign in to Fanout")).to_be_visible()
        expect(page.get_by_role("button", name="Run", exact=True)).to_have_count(0)
        expect(page.get_by_role("link", name="History")).to_have_count(0)


def test_two_people_sign_in_and_each_reads_their_own_name(people: People) -> None:
    for name in ("ada", "bob"):
        menu = people(name).open().get_by_role("button", name=name.title())
        expect(menu).to_be_visible()

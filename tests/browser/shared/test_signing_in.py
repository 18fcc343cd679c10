"""Nobody sees a page before signing in, and what they see then is theirs."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.shared.conftest import Shared, Someone, newcomer, sign_in
from tests.browser.shared.test_ways_in import SIGNED_OUT, code_of, start

Contexts = Callable[..., BrowserContext]
People = Callable[[str], Someone]


def expect_the_way_in(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in to Fanout")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="History")).to_have_count(0)


def test_a_stranger_sees_nothing_but_the_way_in(shared: Shared, contexts: Contexts) -> None:
    page = contexts().new_page()
    for path in ("/", "/history", "/models"):
        page.goto(shared.url + path)
        expect_the_way_in(page)


def test_two_people_sign_in_and_each_finds_their_own_runs(people: People) -> None:
    run = start(people("ada"), "a topic of hers")
    for name, found in (("ada", True), ("bob", False)):
        page = people(name).open("/history")
        expect(page.get_by_role("button", name=name.title(), exact=True)).to_be_visible()
        expect(page.get_by_text("Import runs")).to_be_visible()
        topic = page.get_by_text("a topic of hers")
        expect(topic.first).to_be_visible() if found else expect(topic).to_have_count(0)
    said = []
    for address in (run, "no-such-run-at-all"):
        page = people("bob").open(f"/?run={address}")
        warning = page.get_by_test_id("stAlert").filter(has_text="There is no run")
        said.append(warning.inner_text().replace(address, "X"))
    assert said[0] == said[1], "a run that is not his looks like one that there never was"


def test_a_shared_run_is_read_without_any_button_that_acts(people: People) -> None:
    ada, bob = people("ada"), people("bob")
    run = start(ada, "broken for all to see", finished=False)
    expect(ada.page.get_by_role("button", name="Retry Joke")).to_be_visible()
    ada.page.get_by_text("Private", exact=True).click()
    expect(ada.page.get_by_text("Shared: everyone")).to_be_visible()
    page = bob.open(f"/?run={run}")
    expect(page.get_by_text("was shared with you")).to_be_visible()
    expect(page.get_by_role("region", name="Joke")).to_contain_text("key")
    expect(page.get_by_role("button", name="Retry", exact=False)).to_have_count(0)
    for name in ("Resume", "Stop Joke", "Title and tags", "☆ Favourite"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_text("Shared: everyone")).to_have_count(0)
    expect(page.get_by_role("button", name="Export")).to_be_visible()


def test_who_follows_a_link_gets_to_the_run_after_signing_in(
    shared: Shared, people: People, contexts: Contexts
) -> None:
    run = start(people("ada"), "found again")
    page = contexts().new_page()
    page.goto(f"{shared.url}/?run={run}")
    sign_in(page, "ada")
    expect(page.get_by_role("region", name="Combined answer")).to_contain_text("at once")
    assert page.evaluate("location.search") == f"?run={run}"


def test_who_is_no_member_is_not_let_in(shared: Shared, contexts: Contexts) -> None:
    page = contexts().new_page()
    page.goto(shared.url)
    sign_in(page, "mallory")
    expect(page.get_by_text("not let in here")).to_be_visible()
    expect_the_way_in(page)


def test_signing_out_counts_in_every_tab_and_for_a_copy_of_the_cookie(
    shared: Shared, contexts: Contexts
) -> None:
    eve = newcomer(contexts, shared, "eve")
    run = start(eve, "rain")
    copied = eve.cookie_header()
    tab = eve.context.new_page()
    tab.goto(f"{shared.url}/history")
    expect(tab.get_by_text("rain").first).to_be_visible()
    assert code_of(shared, run, copied) == 0
    eve.page.get_by_role("button", name="Eve", exact=True).click()
    eve.page.get_by_role("button", name="Sign out").click()
    # The provider asks whether that session is to end as well, and leads back.
    eve.page.get_by_role("button", name="End session").click()
    expect_the_way_in(eve.page)
    assert code_of(shared, run, copied) == SIGNED_OUT
    tab.get_by_role("link", name="Models").click()
    expect_the_way_in(tab)

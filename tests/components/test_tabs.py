"""A key that was typed in a browser is forgotten once that browser is closed, and not before."""

from __future__ import annotations

from pathlib import Path

from components.tabs import AWAY_S, Tabs
from fanout.endpoint import Endpoint, Secret
from fanout.engine.runtime import Runtime
from fanout.people import NOBODY, PersonId
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.settings import Settings
from fanout.types import EndpointId, ModelRef
from fanout.workflows.library import shipped

KEY = "sk-typed-in-a-browser-0123456789"


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0
        self.open: set[str] = set()
        self.tabs = Tabs(lambda session: session in self.open, lambda: self.at)

    def visit(self, person: str, session: str) -> None:
        self.open.add(session)
        self.tabs.here(PersonId(person), session)


def test_nobody_is_away_while_a_tab_of_theirs_is_open_however_long() -> None:
    clock = Clock()
    clock.visit("a", "1")
    clock.at += 10 * AWAY_S
    assert clock.tabs.away() == ()


def test_a_refresh_is_no_end_and_a_closed_browser_is_one_after_a_while() -> None:
    clock = Clock()
    clock.visit("a", "1")
    clock.open.clear()
    clock.at += AWAY_S / 2
    assert clock.tabs.away() == ()
    clock.visit("a", "2")
    clock.at += AWAY_S
    assert clock.tabs.away() == ()
    clock.open.clear()
    assert clock.tabs.away() == ()
    clock.at += AWAY_S
    assert clock.tabs.away() == (PersonId("a"),)
    clock.tabs.forget(PersonId("a"))
    assert clock.tabs.away() == ()


def test_who_comes_back_while_being_forgotten_stays_known() -> None:
    clock = Clock()
    clock.visit("a", "1")
    clock.visit("b", "2")
    clock.open = {"2"}
    clock.at += AWAY_S
    assert clock.tabs.away() == (PersonId("a"),)
    clock.visit("a", "3")
    clock.tabs.forget(PersonId("a"))
    clock.open = set()
    clock.at += AWAY_S
    assert set(clock.tabs.away()) == {PersonId("a"), PersonId("b")}


def test_a_closed_browser_takes_typed_keys_along_but_none_of_the_environment(
    tmp_path: Path,
) -> None:
    slow = Script(otherwise=Reply(text="word " * 200, tokens_per_s=50))
    with serving(slow) as server:
        environment = {
            "FANOUT_HOME": str(tmp_path),
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "sk-of-the-environment-0123456789",
            "FANOUT_MODEL": "m",
        }
        with Runtime(Settings.from_environment(environment)) as runtime:
            book = runtime.engine.endpoints
            mine = EndpointId("mine")
            book.add(Endpoint(id=mine, name="Mine", base_url=server.base_url, slots=8), Secret(KEY))
            run = runtime.engine.start(
                shipped().get("creative-trio"), "rain", ModelRef(endpoint=mine, model="m")
            )
            assert not runtime.browser_closed(NOBODY), "a run under way still needs it"
            assert book.has_key(mine)
            run.stop()
            run.wait(20)
            assert runtime.browser_closed(NOBODY)
            assert mine in book and not book.has_key(mine)
            assert book.has_key(EndpointId("environment"))

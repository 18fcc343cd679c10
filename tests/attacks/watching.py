"""A real browser page under watch: what it asks for, what runs in it, what stands in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession, Dialog, Page

SCRIPT = Path(__file__).with_name("watching.js").read_text("utf-8")


class Watch:
    """Collects everything that must not happen on a page, from before its first script."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        context.add_init_script(SCRIPT)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.asked: list[str] = []
        self.happened: list[str] = []
        self._names: dict[str, str] = {}
        self.origin = origin
        self._listen(context.new_cdp_session(self.page))
        self.page.on("dialog", self._dialog)
        self.page.on("popup", lambda popup: self.happened.append(f"popup {popup.url}"))
        self.page.on("pageerror", lambda error: self.happened.append(f"error {error}"))
        self.page.on("download", lambda load: self.happened.append(f"download {load.url}"))

    def forget(self) -> None:
        """Begin again: what was found up to now is known."""
        self.asked.clear()
        self.happened.clear()
        self.page.evaluate("window.__alarms && (window.__alarms.length = 0)")

    def _listen(self, session: CDPSession) -> None:
        session.on("Network.requestWillBeSent", self._asks)
        session.on("Network.loadingFailed", self._refused)
        session.on("Network.webSocketCreated", lambda it: self.asked.append(it["url"]))
        session.send("Network.enable")

    def _dialog(self, dialog: Dialog) -> None:
        self.happened.append("dialog")
        dialog.dismiss()

    def _asks(self, said: dict[str, Any]) -> None:
        self._names[said["requestId"]] = said["request"]["url"]
        self.asked.append(said["request"]["url"])

    def _refused(self, said: dict[str, Any]) -> None:
        """The page's own policy kept the browser from asking."""
        if said.get("blockedReason") == "csp":
            self.asked.remove(self._names[said["requestId"]])

    @property
    def abroad(self) -> list[str]:
        """Requests to anything but the app itself; addresses that hold their data count too."""
        return [url for url in self.asked if not self._own(url)]

    def _own(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.scheme in ("data", "blob", "about"):
            return not any(word in url for word in ("hurt", "evil"))
        if parts.scheme == "file":
            return url.startswith(self.origin)
        return parts.scheme in ("http", "ws") and parts.netloc == urlsplit(self.origin).netloc

    def problems(self) -> list[str]:
        """Everything found up to now, after every text on the page was hovered and clicked."""
        poked = self.page.evaluate("window.__poke()")
        standing = self.page.evaluate("window.__look()")
        alarms = self.page.evaluate("window.__alarms")
        assert poked > 0, "nothing was there to click"
        return [*self.abroad, *self.happened, *standing, *alarms]


def watching(browser: Browser, origin: str, **look: object) -> tuple[Watch, Callable[[], None]]:
    """A fresh page under watch, and how to close it."""
    context = browser.new_context(viewport={"width": 1360, "height": 900}, **look)  # type: ignore[arg-type]
    return Watch(context, origin), context.close

"""The live board: how old a word is when it shows, and what viewers cost the server.

    python benchmarks/board.py [--quick]

Twelve branches write 100 tokens/s each. Every word is the time at which the endpoint wrote it (see
stamping_endpoint), so Chromium knows the age of each word that it has just painted. The peer is the
same run on the same server, drawn as a page without the board would: a Streamlit fragment on a
timer of 0.25 s with st.markdown per branch. The server's CPU is that of its process, engine and
all; the row without viewers shows what of it is not drawing. Endpoint, server, browser and viewers
share this machine's cores, so on a small one the ages are those of a busy machine.

Goals: 95 of 100 words show within 150 ms; 50 viewers cost the server at most 15 % of a core.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from benchmarks.board_engine import BRANCHES, URL_VARIABLE  # noqa: E402
from tests.browser.conftest import CHROMIUMS, QUIET  # noqa: E402
from tests.rig import free_port  # noqa: E402

TOKENS_PER_S = 100
WARM_UP_S = 3.0
COLLECT = """(root, columns) => {
  const seen = [...root.querySelectorAll(columns)].map((node) => ({node, read: 0}));
  const ages = window.ages = [];
  const began = Date.now();
  let asked = false;
  function read() {
    asked = false;
    const now = Date.now();
    for (const column of seen) {
      const text = column.node.textContent;
      for (const match of text.slice(column.read).matchAll(/\\d{13}/g))
        if (+match[0] >= began) ages.push(now - match[0]);
      column.read = text.length;
    }
  }
  new MutationObserver(() => {
    if (!asked) requestAnimationFrame(() => setTimeout(read));
    asked = true;
  }).observe(root, {subtree: true, childList: true, characterData: true});
}"""
"""Ages are taken after the frame that follows a change: painting counts, and up to 16 ms more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to draw a run in a browser."""

    name: str
    query: str
    viewers: str
    """What viewers.py calls it."""
    root: str
    columns: str


BOARD = Way(
    name="board", query="", viewers="board", root=".board", columns="section:not(.wide) .text"
)
POLLING = Way(
    name="st.markdown, polled",
    query="&way=polling",
    viewers="polling",
    root="[data-testid=stMain]",
    columns="[class*=st-key-column-]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    url: str

    def ask(self, door: str) -> object:
        with urllib.request.urlopen(f"{self.url}/bench/{door}", timeout=30) as answer:
            return json.load(answer)

    @contextlib.contextmanager
    def run(self) -> Iterator[str]:
        """The id of a run that writes until the context ends."""
        run_id = str(self.ask("start"))
        try:
            yield run_id
        finally:
            self.ask("stop")

    def share_of_a_core(self, window_s: float) -> float:
        """CPU seconds per second over the time that comes now."""
        began, spent = time.perf_counter(), float(str(self.ask("cpu")))
        time.sleep(window_s)
        spent = float(str(self.ask("cpu"))) - spent
        return spent / (time.perf_counter() - began)


@contextlib.contextmanager
def process(*command: str, health: str, **environment: str) -> Iterator[None]:
    """A child that answers at `health`, until the context ends."""
    child = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            if child.poll() is not None:
                raise RuntimeError(f"{command[0]} ended at once")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(health, timeout=1).close()
                break
            time.sleep(0.1)
        yield
    finally:
        child.terminate()
        child.wait(timeout=20)


@contextlib.contextmanager
def server() -> Iterator[Server]:
    endpoint, app = free_port(), free_port()
    base_url = f"http://127.0.0.1:{endpoint}/v1"
    url = f"http://localhost:{app}"
    streamlit = ("-m", "streamlit", "run", "benchmarks/board_app.py", "--server.headless=true")
    with (
        process(
            "benchmarks/stamping_endpoint.py",
            str(endpoint),
            str(TOKENS_PER_S),
            health=f"{base_url}/models",
        ),
        process(
            *streamlit,
            f"--server.port={app}",
            health=f"{url}/_stcore/health",
            **{URL_VARIABLE: base_url},
        ),
    ):
        yield Server(url=url)


@contextlib.contextmanager
def viewers(server: Server, run_id: str, way: Way, count: int) -> Iterator[None]:
    """That many viewers in a process of their own, all of them watching."""
    if not count:
        yield
        return
    host = server.url.removeprefix("http://")
    child = subprocess.Popen(
        [sys.executable, "benchmarks/viewers.py", way.viewers, host, run_id, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline(), "the viewers could not connect"
        yield
    finally:
        child.terminate()
        child.wait(timeout=10)


def share_with_viewers(server: Server, way: Way, count: int, window_s: float) -> float:
    with server.run() as run_id, viewers(server, run_id, way, count):
        time.sleep(WARM_UP_S)
        return server.share_of_a_core(window_s)


def ages_in_browser(
    server: Server, browser: Browser, way: Way, window_s: float
) -> tuple[list[float], float]:
    """The age in ms of every word when it showed, and the server's share of a core meanwhile."""
    with server.run() as run_id:
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.goto(f"{server.url}/?run={run_id}{way.query}")
        page.get_by_text("1", exact=False).nth(BRANCHES).wait_for()
        time.sleep(WARM_UP_S)
        page.locator(way.root).evaluate(COLLECT, way.columns)
        share = server.share_of_a_core(window_s)
        ages: list[float] = page.evaluate("ages")
        page.close()
    return sorted(ages), share


def percentile(ages: Sequence[float], share: float) -> float:
    return ages[min(len(ages) - 1, int(share * len(ages)))]


def print_ages(server: Server, window_s: float) -> None:
    chromium = os.environ.get("FANOUT_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)))
    print(f"  {'token to screen, ms':<24}{'p50':>8}{'p95':>8}{'most':>8}{'words':>8}{'CPU':>8}")
    p95 = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        for way in (BOARD, POLLING):
            ages, share = ages_in_browser(server, browser, way, window_s)
            if not ages:
                raise RuntimeError(f"no word showed by {way.name}")
            p95[way] = percentile(ages, 0.95)
            print(
                f"  {way.name:<24}{percentile(ages, 0.5):>8.0f}{p95[way]:>8.0f}"
                f"{ages[-1]:>8.0f}{len(ages):>8}{share:>8.1%}"
            )
        browser.close()
    print(f"  p95 of {POLLING.name} to the board's: {p95[POLLING] / p95[BOARD]:.1f}\n")


def print_shares(server: Server, window_s: float) -> None:
    print(f"  {'CPU of the server, share of a core':<40}{'all':>8}{'above no viewer':>18}")
    nobody = share_with_viewers(server, BOARD, 0, window_s)
    print(f"  {'no viewer: the engine alone':<40}{nobody:>8.1%}")
    each = {}
    for way, count in ((BOARD, 1), (BOARD, 50), (POLLING, 1), (POLLING, 5)):
        share = share_with_viewers(server, way, count, window_s)
        each[way] = (share - nobody) / count
        name = f"{way.name}, {count} viewer{'s' if count > 1 else ''}"
        print(f"  {name:<40}{share:>8.1%}{share - nobody:>18.1%}")
    print(
        f"  each of 5 polling viewers costs {each[POLLING]:.2%}, each of the board's 50 "
        f"{each[BOARD]:.2%}: {each[POLLING] / each[BOARD]:.0f} times as much"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter windows")
    window_s = 4.0 if parser.parse_args().quick else 12.0
    with server() as it:
        print(f"{BRANCHES} branches x {TOKENS_PER_S} tokens/s, {window_s:.0f} s each")
        print(f"endpoint, server, browser and viewers share {os.cpu_count()} cores\n")
        print_ages(it, window_s)
        print_shares(it, window_s)


if __name__ == "__main__":
    main()

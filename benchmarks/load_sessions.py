"""Browser sessions without a browser: each presses Run on the real page and watches its board.

    python benchmarks/load_sessions.py APP ENDPOINT WORKFLOW_TITLE WORDS_PER_RUN SESSIONS SECONDS

APP and ENDPOINT are host:port. A session speaks Streamlit's own protocol over its own socket, as
the page does: it fills the form, presses Run, reruns timed fragments when they are due, and draws
what is drawn after a run. Beside that it opens the board's socket, as the board does. Every word it
is sent is the time at which the endpoint wrote it, so each has an age on arrival. One more stream
is read straight from the endpoint, to know how old words are on this machine without Fanout. Prints
one JSON object at the end.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

SPREAD_S = 15.0
"""Sessions begin over this time: fifty people don't press Run in one moment."""
LOOK_S = 2.0
"""How long somebody reads before pressing Run again."""
ANSWER_S = 60.0
STAMP = re.compile(r"\d{13}")
SUCCESS = ForwardMsg.FINISHED_SUCCESSFULLY


@dataclass(slots=True)
class Tally:
    """What all sessions saw."""

    ages: Counter[int] = field(default_factory=Counter)
    """Words by their age on arrival, in ms."""
    straight: Counter[int] = field(default_factory=Counter)
    """The same of the stream without Fanout."""
    ends: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    press_s: list[float] = field(default_factory=list)
    """From pressing Run to the page that shows the run."""
    short: int = 0
    """Runs that ended without all their words."""


class Page:
    """One Streamlit session, driven as its frontend drives it."""

    def __init__(self, socket: ClientConnection, tally: Tally) -> None:
        self._socket = socket
        self._tally = tally
        self._ids: dict[str, str] = {}
        self._states: dict[str, str] = {}
        self._finished = asyncio.Event()
        self._timed: list[asyncio.Task[None]] = []
        self.query = ""

    async def read(self) -> None:
        """Take in what the server draws, until the socket closes."""
        async for data in self._socket:
            assert isinstance(data, bytes)
            self._take(ForwardMsg.FromString(data))

    async def draw(self, press: str = "") -> None:
        """Run the script once, with one button pressed or none."""
        self._finished.clear()
        self._end_timed()
        await self._socket.send(self._rerun(press=press))
        async with asyncio.timeout(ANSWER_S):
            await self._finished.wait()

    def fill(self, key: str, value: str) -> None:
        self._states[key] = value

    @property
    def run_id(self) -> str:
        return parse_qs(self.query).get("run", [""])[0]

    def _rerun(self, press: str = "", fragment: str = "") -> bytes:
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        states = message.rerun_script.widget_states.widgets
        for key, value in self._states.items():
            states.add(id=self._ids[key], string_value=value)
        if press:
            states.add(id=self._ids[press], trigger_value=True)
        return message.SerializeToString()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._draw_element(message)
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            timed = self._poll(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            self._timed.append(asyncio.create_task(timed))
        elif kind == "script_finished" and message.script_finished == SUCCESS:
            self._finished.set()

    def _draw_element(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self._tally.errors.append(f"the page: {element.exception.message[:200]}")
        elif kind in ("selectbox", "text_area", "button"):
            name = getattr(element, kind).id
            self._ids[name.rpartition("-")[2]] = name

    async def _poll(self, fragment: str, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self._socket.send(self._rerun(fragment=fragment))

    def _end_timed(self) -> None:
        for task in self._timed:
            task.cancel()
        self._timed.clear()


async def watch(host: str, run_id: str, words: int, tally: Tally) -> str:
    """The board of one run until it is over; how it ended."""
    newest: dict[str, int] = {}
    tokens: dict[str, int] = {}
    async with connect(
        f"ws://{host}/api/runs/{run_id}/ws", origin=Origin(f"http://{host}"), max_size=None
    ) as socket:
        await socket.send(json.dumps({"have": None}))
        async for data in socket:
            now = round(time.time() * 1000)
            frame = json.loads(data)
            for name, column in frame["cols"].items():
                tokens[name] = column.get("tokens", tokens.get(name, 0))
                last = newest.get(name, 0)
                for stamp in stamps(column):
                    if stamp > last:
                        tally.ages[now - stamp] += 1
                        newest[name] = stamp
            run = frame.get("run")
            if run is not None and not run["live"]:
                tally.short += sum(tokens.values()) < words
                return str(run["status"])
    return "closed"


def stamps(column: dict[str, dict[str, list]]) -> Iterator[int]:
    text = column.get("text")
    if text is not None:
        for _, html in (*text["closed"], text["open"]):
            yield from map(int, STAMP.findall(html))


@asynccontextmanager
async def opened(host: str, tally: Tally) -> AsyncIterator[Page]:
    """A session of its own, in a tab that stays open until the context ends."""
    async with connect(
        f"ws://{host}/_stcore/stream",
        origin=Origin(f"http://{host}"),
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    ) as socket:
        page = Page(socket, tally)
        reader = asyncio.create_task(page.read())
        try:
            yield page
        finally:
            reader.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await reader


async def session(
    host: str, title: str, words: int, number: int, until: float, tally: Tally
) -> None:
    try:
        async with opened(host, tally) as page:
            await use(page, host, title, words, number, until, tally)
    except Exception as error:
        tally.errors.append(f"session {number}: {type(error).__name__} {error}"[:300])


async def use(
    page: Page, host: str, title: str, words: int, number: int, until: float, tally: Tally
) -> None:
    """Run after run until the time is up; the last one is watched to its end."""
    await choose(page, title)
    turn = 0
    while not turn or time.monotonic() < until:
        turn += 1
        began = time.monotonic()
        run_id = await press_run(page, f"rain {number}-{turn}")
        tally.press_s.append(time.monotonic() - began)
        tally.ends[await watch(host, run_id, words, tally)] += 1
        await page.draw()
        await asyncio.sleep(LOOK_S)


async def choose(page: Page, title: str) -> None:
    """A workflow by its title; the form's other fields are another workflow's until then."""
    await page.draw()
    page.fill("workflow", title)
    await page.draw()


async def press_run(page: Page, topic: str) -> str:
    """The id of the run that began."""
    before = page.run_id
    page.fill("topic", topic)
    await page.draw(press="run")
    if page.run_id == before:
        raise RuntimeError("Run was pressed and nothing began")
    return page.run_id


async def read_straight(endpoint: str, tally: Tally) -> None:
    """Answer after answer of the endpoint, with nothing in between but a socket."""
    host, _, port = endpoint.rpartition(":")
    while True:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {endpoint}\r\nConnection: close\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".encode()
        )
        async for line in reader:
            now = round(time.time() * 1000)
            if line.startswith(b"data:"):
                tally.straight.update(now - int(s) for s in STAMP.findall(line.decode()))
        writer.close()


async def main(
    host: str, endpoint: str, title: str, words: int, count: int, seconds: float
) -> None:
    tally = Tally()
    straight = asyncio.create_task(read_straight(endpoint, tally))
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(session(host, title, words, number, until, tally))
            await asyncio.sleep(min(SPREAD_S, seconds / 4) / count)
    straight.cancel()
    told = {
        "straight": sorted(tally.straight.items()),
        "ages": sorted(tally.ages.items()),
        "ends": tally.ends,
        "errors": tally.errors,
        "press_s": sorted(tally.press_s),
        "short": tally.short,
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    app, model, what, words, sessions, lasts = sys.argv[1:]
    asyncio.run(main(app, model, what, int(words), int(sessions), float(lasts)))

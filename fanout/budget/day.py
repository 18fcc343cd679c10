"""The day's spending as this process sees it: claims before, bookings after, a thread in between.

A booking must not hold up the engine's loop, so a thread writes it. Until it has, the claim stands
at its worst case, which is never too little. Where no cap is set nothing is claimed, and what was
spent is written in passing, so that a cap that is set at noon knows of the morning. A call of a
batch counts against the batch in the same transaction, by the cap that stands there then.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import anyio
from anyio.to_thread import run_sync

from fanout.budget.amount import Amount, Room, Taken
from fanout.budget.batch_caps import BatchCaps
from fanout.budget.caps import Caps, DayCaps
from fanout.budget.ledger import Booking, Claim, DayTaken, Ledger, utc_day
from fanout.budget.words import NO_BATCH_LEDGER, NO_LEDGER, THE_BATCHS, skipped
from fanout.errors import ProviderError, SettingsError, StoreConflict, StoreError
from fanout.policies import Budget

log = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""How long a call waits for a database that is held by others before it is skipped."""
BATCH_PATIENCE_S = 120.0
"""The same of a call of a batch: nobody sits and waits for it, and a database comes back."""
AGAIN_S = 0.2
"""Between two tries, and between two writings of what was booked."""
LAST_WORDS_S = 1.0
"""How long the end of the process waits for what was booked."""
UNKEPT = (
    "Runs are not written down now, so a budget for the day can't be kept. Mend FANOUT_HOME or the "
    "database, or take the budget away."
)

Fits = Callable[[tuple[Room, ...]], Amount]
"""What a request needs, given the day's rooms; raises ProviderError where it doesn't fit."""


class MayFitLater(ProviderError):
    """A call that fits into its batch's budget but for what is set aside for calls under way."""


class Day:
    """May be used from any thread."""

    def __init__(
        self, caps: Caps, ledger: Ledger | None, now: Callable[[], float] = time.time
    ) -> None:
        """Without a ledger no cap of a day can be kept, so calls under one are skipped."""
        self._caps = caps
        self._ledger = ledger
        self._batch_caps = BatchCaps(None if ledger is None else ledger.batch_cap)
        self._now = now
        self._pending: list[Booking] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def caps(self) -> DayCaps:
        """ProviderError of kind `budget` where they can't be known."""
        try:
            return self._caps.now()
        except SettingsError as error:
            raise skipped(f"Skipped: {error}") from None

    async def batch_cap(self, batch: str) -> Budget:
        """Of about now, to see whether anything has to be set aside at all; ProviderError where
        nobody can tell."""
        if not batch:
            return Budget()
        until = anyio.current_time() + BATCH_PATIENCE_S
        while True:
            try:
                return await self._batch_caps.lately(batch)
            except StoreError as error:
                if anyio.current_time() >= until:
                    raise skipped(NO_BATCH_LEDGER.format(why=error)) from None
            await anyio.sleep(AGAIN_S)

    def unclaimed(self, person: str, batch: str = "") -> Claim:
        """Of a request that counts, but is not held up by any cap."""
        return Claim(id="", day=utc_day(self._now()), person=person, batch=batch)

    async def claim(
        self, person: str, caps: DayCaps, fits: Fits, batch: str = "", name: str = ""
    ) -> Claim:
        """Set aside what a request needs; ProviderError where it doesn't fit or nobody can tell,
        MayFitLater where it is worth waiting. Under one `name` it is set aside once, however often
        that is asked for."""
        unknown = NO_LEDGER if caps.capped else NO_BATCH_LEDGER
        if self._ledger is None:
            raise skipped(unknown.format(why=UNKEPT))
        claim = Claim(
            id=name or secrets.token_hex(16),
            day=utc_day(self._now()),
            person=person,
            batch=batch,
        )

        def sized(taken: DayTaken) -> Amount:
            try:
                return fits(_rooms(caps, taken))
            except ProviderError as error:
                if _may_fit_later(caps, taken, fits):
                    raise MayFitLater(error.failure) from None
                raise

        until = anyio.current_time() + (BATCH_PATIENCE_S if batch else PATIENCE_S)
        while True:
            try:
                # Not given up when cancelled: what was set aside would have no owner.
                await run_sync(self._reserve, claim, sized)
                return claim
            except StoreError as error:
                # A conflict stays one, however long it is waited for.
                if isinstance(error, StoreConflict) or anyio.current_time() >= until:
                    raise skipped(unknown.format(why=error)) from None
            await anyio.sleep(AGAIN_S)

    def book(self, booking: Booking) -> None:
        """Have it written soon. Never waits."""
        if self._ledger is None:
            return
        with self._lock:
            self._pending.append(booking)
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(
                    target=self._write_on, name="fanout-spending", daemon=True
                )
                self._thread.start()
        self._news.set()

    def taken(self, person: str, batch: str = "") -> DayTaken:
        """Of today, and of a batch since it began; StoreError where that can't be looked up."""
        if self._ledger is None:
            raise StoreError(UNKEPT)
        self._write()
        return self._ledger.taken(utc_day(self._now()), person, batch)

    def close(self) -> None:
        """Write what is booked, trying again for a while if need be, and end the thread."""
        self._closing.set()
        self._news.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(LAST_WORDS_S)

    def _reserve(self, claim: Claim, sized: Callable[[DayTaken], Amount]) -> None:
        assert self._ledger is not None, "without one nothing is claimed"
        # What this process has settled must not stand in its own way.
        self._write()
        self._ledger.reserve(claim, sized)

    def _write(self) -> None:
        if self._ledger is None:
            return
        with self._writing:
            with self._lock:
                bookings, self._pending = self._pending, []
            try:
                self._ledger.book(_joined(bookings))
            except BaseException:
                with self._lock:
                    self._pending = bookings + self._pending
                raise

    def _write_on(self) -> None:
        until = float("inf")
        while True:
            self._news.wait()
            self._news.clear()
            if self._closing.is_set():
                until = min(until, time.monotonic() + LAST_WORDS_S)
            else:
                self._closing.wait(AGAIN_S)
            try:
                self._write()
                if self._closing.is_set():
                    return
            except StoreError as error:
                log.info("what was spent is not written down yet: %s", error)
                if time.monotonic() >= until:
                    return
                self._news.set()
                time.sleep(AGAIN_S)
            except Exception:
                log.exception("what was spent could not be written down")
                return


def _rooms(caps: DayCaps, taken: DayTaken) -> tuple[Room, ...]:
    everyone = Room(whose="today's", cap=caps.everyone, taken=taken.everyone.all)
    person = Room(whose="your day's", cap=caps.person, taken=taken.person.all)
    batch = Room(whose=THE_BATCHS, cap=taken.batch_cap, taken=taken.batch.all)
    return tuple(room for room in (everyone, person, batch) if room.cap.capped)


def _may_fit_later(caps: DayCaps, taken: DayTaken, fits: Fits) -> bool:
    """Whether there is room but for what is set aside for the batch's calls under way."""
    if not taken.batch_cap.capped or taken.batch.reserved == Amount():
        return False
    with suppress(ProviderError):
        fits(_rooms(caps, replace(taken, batch=Taken(spent=taken.batch.spent))))
        return True
    return False


def _joined(bookings: list[Booking]) -> list[Booking]:
    """Those that close no claim as one for each day, person and batch."""
    sums: dict[Claim, Amount] = {}
    for each in bookings:
        sums[each.claim] = sums.get(each.claim, Amount()) + each.amount
    return [Booking(claim=claim, amount=amount) for claim, amount in sums.items()]

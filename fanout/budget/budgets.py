"""Every purse of a process, and the day they all count against."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from weakref import WeakValueDictionary

from fanout.budget.amount import Amount, Taken
from fanout.budget.caps import Caps, DayCaps
from fanout.budget.ceiling import ceiling
from fanout.budget.day import Day
from fanout.budget.fitting import LONGEST, WorstUsd, wish
from fanout.budget.ledger import DayTaken, Ledger
from fanout.budget.purse import RunPurse
from fanout.endpoint import Endpoint
from fanout.policies import Budget
from fanout.snapshot import Branch, Snapshot
from fanout.types import BatchId, EndpointId, FailureKind, ModelRef, RunId

FREE = frozenset({FailureKind.RATE_LIMIT, FailureKind.AUTH, FailureKind.QUOTA, FailureKind.BUDGET})
"""A request that ended so was never begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What a run or a batch may spend, and what of that is taken."""

    cap: Budget
    taken: Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The same of a day (UTC)."""

    caps: DayCaps
    taken: DayTaken


class Budgets:
    """May be used from any thread."""

    def __init__(
        self,
        worst_usd: WorstUsd,
        *,
        ledger: Ledger | None = None,
        caps: Caps | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Without a ledger the caps of single runs are kept, and calls under a day's are skipped:
        give one that forgets nothing when the process ends."""
        self.caps = caps or Caps()
        self._worst_usd = worst_usd
        self._day = Day(self.caps, ledger, now)
        self._purses: WeakValueDictionary[RunId, RunPurse] = WeakValueDictionary()

    def purse_for(
        self,
        run_id: RunId,
        budget: Budget,
        person: str = "",
        already: Amount | None = None,
        *,
        worst_usd: WorstUsd | None = None,
        batch: BatchId | None = None,
        parked: bool = False,
    ) -> RunPurse:
        """For the whole life of a run in this process, also when it goes on. `already` is what it
        spent in another one: see `spent_in`. `worst_usd` knows the prices of a person's own
        endpoints. `batch` is the one whose row the run is: its budget holds as well, over all
        workers and as it is set at the time of each call. `parked`: its calls wait at the provider
        for hours and outlive the process, so that one which is asked for again is still that one.
        """
        purse = RunPurse(
            budget,
            worst_usd or self._worst_usd,
            day=self._day,
            person=person,
            already=already,
            batch=batch or "",
            parked_as=run_id if parked else "",
        )
        self._purses[run_id] = purse
        return purse

    def meter(self, run_id: RunId) -> Meter | None:
        """None where that run has no purse here."""
        purse = self._purses.get(run_id)
        return None if purse is None else Meter(cap=purse.cap, taken=purse.taken)

    def batch(self, batch: BatchId) -> Meter:
        """What a batch may spend, and what all workers have taken of it. StoreError where it can't
        be known."""
        taken = self._day.taken("", batch)
        return Meter(cap=taken.batch_cap, taken=taken.batch)

    def today(self, person: str = "") -> Today:
        """SettingsError or StoreError where it can't be known."""
        return Today(caps=self.caps.now(), taken=self._day.taken(person))

    def close(self) -> None:
        """Write down what was spent. After the last run has ended, before the record is closed."""
        self._day.close()


def worst_usd_by(endpoint_of: Callable[[EndpointId], Endpoint | None]) -> WorstUsd:
    """What a request costs at most, by own and list prices; None where its endpoint is gone."""

    def worst_usd(model: ModelRef, input_tokens: int, output_tokens: int) -> Decimal | None:
        endpoint = endpoint_of(model.endpoint)
        if endpoint is None:
            return None
        return ceiling(
            endpoint, model.model, input_tokens=input_tokens, output_tokens=output_tokens
        )

    return worst_usd


def spent_in(snapshot: Snapshot, worst_usd: WorstUsd | None = None) -> Amount:
    """What a run has spent so far, as its record says: what is unknown of it counts as nothing.

    With `worst_usd` what was only estimated counts at its worst, as it did in its own process.
    """
    usd = sum((go.cost.usd for go in snapshot.goes if go.cost is not None), Decimal(0))
    tokens = sum(go.usage.input + go.usage.output for go in snapshot.goes if go.usage is not None)
    spent = Amount(usd=usd, tokens=tokens)
    if worst_usd is None:
        return spent
    return sum((_unreported(go, worst_usd) for go in snapshot.goes), spent)


def _unreported(go: Branch, worst_usd: WorstUsd) -> Amount:
    """What a call's requests may have taken beyond what its record says."""
    if go.usage is None or not go.usage.estimated:
        return Amount()
    asked = wish(go.plan, go.answered_by)
    output = LONGEST if asked.limit is None else asked.limit
    usd = worst_usd(asked.model, asked.input, output) or Decimal(0)
    refused = sum(failure.kind in FREE for failure in go.setbacks)
    requests = max(1, go.attempts + len(go.hedges) - refused)
    said = Amount(
        usd=go.cost.usd if go.cost else Decimal(0), tokens=go.usage.input + go.usage.output
    )
    return Amount(
        usd=max(Decimal(0), usd * requests - said.usd),
        tokens=max(0, (asked.input + output) * requests - said.tokens),
    )

"""The budget of the day as one person of many sees it: their part, and all of it for the admins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fanout.budget.amount import Amount, Taken
from fanout.budget.budgets import Budgets, Meter, Today
from fanout.budget.caps import Caps, DayCaps
from fanout.budget.fitting import WorstUsd
from fanout.budget.purse import RunPurse
from fanout.errors import SettingsError
from fanout.policies import Budget
from fanout.types import BatchId, RunId


class OwnBudgets(Budgets):
    """Only looks; what is spent is counted by the budgets of all."""

    def __init__(self, whole: Budgets, person: str, admin: Callable[[], bool]) -> None:
        # Not the constructor of the whole: there is one day, and one thread that writes it down.
        self._whole = whole
        self._person = person
        self._admin = admin
        self.caps = OwnCaps(whole.caps, admin)

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
        """Always in this person's name."""
        return self._whole.purse_for(
            run_id,
            budget,
            self._person,
            already,
            worst_usd=worst_usd,
            batch=batch,
            parked=parked,
        )

    def meter(self, run_id: RunId) -> Meter | None:
        return self._whole.meter(run_id)

    def batch(self, batch: BatchId) -> Meter:
        return self._whole.batch(batch)

    def today(self, person: str = "") -> Today:
        """This person's; what all have spent together is for admins."""
        today = self._whole.today(self._person)
        if self._admin():
            return today
        caps, taken = replace(today.caps, everyone=Budget()), replace(today.taken, everyone=Taken())
        return replace(today, caps=caps, taken=taken)

    def close(self) -> None:
        """The budgets of all are closed by the whole."""


class OwnCaps(Caps):
    """Admins change them; the others read what holds for each person."""

    def __init__(self, whole: Caps, admin: Callable[[], bool]) -> None:
        super().__init__(fixed=whole.fixed)
        self._whole = whole
        self._admin = admin

    def now(self) -> DayCaps:
        caps = self._whole.now()
        return caps if self._admin() else replace(caps, everyone=Budget())

    def change(self, caps: DayCaps) -> None:
        """SettingsError for all but the admins."""
        if not self._admin():
            raise SettingsError("Only whoever looks after this Fanout can change the day's budget.")
        self._whole.change(caps)

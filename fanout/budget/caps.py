"""What may be spent in a day: set in the environment, or on the Models page and kept.

A file that can't be read lets no call through: what it said is not known, and it may have said
little.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from fanout.errors import SettingsError
from fanout.policies import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCaps:
    everyone: Budget = field(default_factory=Budget)
    """For all runs of this installation together."""
    person: Budget = field(default_factory=Budget)
    """For each person's runs, where people are told apart."""

    @property
    def capped(self) -> bool:
        return self.everyone.capped or self.person.capped

    @property
    def of_tokens(self) -> bool:
        return self.everyone.tokens is not None or self.person.tokens is not None


class Caps:
    """May be used from any thread. What another process changes counts from its next look on."""

    def __init__(self, path: Path | None = None, *, fixed: DayCaps | None = None) -> None:
        """`fixed` is what the environment says; it wins over the file. Without a path nothing can
        be changed."""
        self._path = path
        self.fixed = fixed or DayCaps()
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._kept = DayCaps()

    def now(self) -> DayCaps:
        """SettingsError where the file can't be read."""
        kept = self._read()
        return DayCaps(
            everyone=_first(self.fixed.everyone, kept.everyone),
            person=_first(self.fixed.person, kept.person),
        )

    def change(self, caps: DayCaps) -> None:
        """Keep these from now on; what the environment sets stays. SettingsError where it can't."""
        if self._path is None:
            raise SettingsError("There is no folder to keep the budget of the day in.")
        row = {"everyone": _row(caps.everyone), "person": _row(caps.person)}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._path.with_suffix(".part")
            partial.write_text(json.dumps(row, indent=1), "utf-8")
            partial.replace(self._path)
        except OSError as error:
            raise SettingsError(
                f"The budget of the day could not be kept in FANOUT_HOME: {error.strerror}. "
                "The old one still counts."
            ) from None

    def _read(self) -> DayCaps:
        if self._path is None:
            return DayCaps()
        with self._lock:
            try:
                status = self._path.stat()
                seen = (status.st_mtime_ns, status.st_size, status.st_ino)
                if seen != self._seen:
                    row = json.loads(self._path.read_text("utf-8"))
                    self._kept = DayCaps(
                        everyone=_budget(row["everyone"]), person=_budget(row["person"])
                    )
                    self._seen = seen
            except (FileNotFoundError, NotADirectoryError):
                self._kept, self._seen = DayCaps(), None
            except (OSError, ValueError, LookupError, TypeError, InvalidOperation):
                raise SettingsError(
                    f"{self._path.name} in FANOUT_HOME can't be read, so nobody knows what may be "
                    "spent today. Set the budget of the day anew on the Models page, or delete "
                    "the file."
                ) from None
            return self._kept


def _first(one: Budget, other: Budget) -> Budget:
    return replace(
        one,
        usd=other.usd if one.usd is None else one.usd,
        tokens=other.tokens if one.tokens is None else one.tokens,
    )


def _row(budget: Budget) -> dict[str, str | int | None]:
    return {"usd": None if budget.usd is None else str(budget.usd), "tokens": budget.tokens}


def _budget(row: dict[str, str | int | None]) -> Budget:
    usd = None if row["usd"] is None else Decimal(str(row["usd"]))
    tokens = None if row["tokens"] is None else int(row["tokens"])
    if (usd is not None and not (usd.is_finite() and usd >= 0)) or (tokens or 0) < 0:
        raise ValueError("no budget")
    return Budget(usd=usd, tokens=tokens)

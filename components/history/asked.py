"""What the address of the History page asks for, and the question to the store that it means.

The address is the only place where filters are kept, so that they survive a reload, Back and being
sent to someone. Anything may stand in an address: what can't be understood is left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Literal

from fanout.store.values import Order, Question
from fanout.types import RunStatus

Sort = Literal["newest", "oldest", "longest", "saved", "cost", "topic", "workflow"]
SORTS: Mapping[Sort, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "longest": "Longest first",
    "saved": "Most time saved first",
    "cost": "Most expensive first",
    "topic": "By topic, A to Z",
    "workflow": "By workflow, A to Z",
}
_ORDERS: Mapping[Sort, tuple[Order, bool]] = {
    "newest": ("started", True),
    "oldest": ("started", False),
    "longest": ("wall", True),
    "saved": ("saved", True),
    "cost": ("cost", True),
    "topic": ("topic", False),
    "workflow": ("workflow", False),
}

NAMES = frozenset(
    {
        *("q", "workflow", "model", "state", "tag", "from", "to"),
        *("least", "most", "fav", "rows", "batch", "deleted", "sort", "page"),
    }
)
"""What this page understands of an address."""
ON_A_PAGE = 25
LONGEST_TEXT = 200
LONGEST_ID = 64
MOST_VALUES = 20
MOST_USD = Decimal(1_000_000)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which runs a person wants to see; what is left as it is doesn't narrow."""

    text: str = ""
    workflows: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    states: tuple[RunStatus, ...] = ()
    tags: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    """Included, like the first one."""
    least_usd: Decimal | None = None
    most_usd: Decimal | None = None
    favourites: bool = False
    rows: bool = False
    """With the runs that are rows of a batch, which would flood the list."""
    batch: str = ""
    """Only the rows of that batch."""
    deleted: bool = False
    sort: Sort = "newest"
    page: int = 1

    @property
    def narrows(self) -> bool:
        """True where some runs may be left out."""
        return bool(self.text.strip()) or self.filters > 0

    @property
    def filters(self) -> int:
        """How many filters besides the words and the deleted ones are set."""
        skipped = ("text", "sort", "page", "deleted", "rows")
        names = [field.name for field in fields(self) if field.name not in skipped]
        return sum(getattr(self, name) not in ((), None, False, "") for name in names)

    @property
    def everything(self) -> Asked:
        """The same list with nothing left out."""
        return Asked(sort=self.sort, deleted=self.deleted, rows=self.rows)

    def question(self, zone: tzinfo, **changes: object) -> Question:
        """For the store; days begin and end where the person is."""
        order, descending = _ORDERS[self.sort]
        asked = Question(
            text=self.text.strip(),
            workflows=self.workflows,
            models=self.models,
            statuses=self.states,
            tags=self.tags,
            since=_midnight(self.first_day, zone),
            until=_midnight(self.last_day and self.last_day + timedelta(days=1), zone),
            least_usd=self.least_usd,
            most_usd=self.most_usd,
            favourites=self.favourites,
            deleted=self.deleted,
            # What was deleted can be brought back, whatever it was.
            rows=self.rows or self.deleted,
            batch=self.batch,
            order=order,
            descending=descending,
            limit=ON_A_PAGE,
            offset=(self.page - 1) * ON_A_PAGE,
        )
        return replace(asked, **changes)  # type: ignore[arg-type]

    def address(self) -> dict[str, list[str]]:
        """The query string that means this; empty where nothing is asked for."""
        written: dict[str, list[str]] = {
            "q": [self.text] if self.text.strip() else [],
            "workflow": list(self.workflows),
            "model": list(self.models),
            "state": [state.value for state in self.states],
            "tag": list(self.tags),
            "from": [self.first_day.isoformat()] if self.first_day else [],
            "to": [self.last_day.isoformat()] if self.last_day else [],
            "least": [f"{self.least_usd:f}"] if self.least_usd is not None else [],
            "most": [f"{self.most_usd:f}"] if self.most_usd is not None else [],
            "fav": ["1"] if self.favourites else [],
            "rows": ["1"] if self.rows else [],
            "batch": [self.batch] if self.batch else [],
            "deleted": ["1"] if self.deleted else [],
            "sort": [str(self.sort)] if self.sort != "newest" else [],
            "page": [str(self.page)] if self.page > 1 else [],
        }
        return {name: values for name, values in written.items() if values}


def asked(address: Mapping[str, Sequence[str]]) -> Asked:
    """Read a query string; never raises."""
    given = {name: [clean(value) for value in values] for name, values in address.items()}
    sort = _one(given, "sort")
    return Asked(
        text=_one(given, "q")[:LONGEST_TEXT],
        workflows=_several(given, "workflow"),
        models=_several(given, "model"),
        states=tuple(RunStatus(s) for s in _several(given, "state") if s in set(RunStatus)),
        tags=_several(given, "tag"),
        first_day=_day(_one(given, "from")),
        last_day=_day(_one(given, "to")),
        least_usd=_usd(_one(given, "least")),
        most_usd=_usd(_one(given, "most")),
        favourites=_one(given, "fav") == "1",
        rows=_one(given, "rows") == "1",
        batch=_one(given, "batch")[:LONGEST_ID],
        deleted=_one(given, "deleted") == "1",
        sort=next((known for known in SORTS if known == sort), "newest"),
        page=_page(_one(given, "page")),
    )


def clean(text: str) -> str:
    """Without what no database takes: control characters and lone surrogates."""
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))


def _one(given: Mapping[str, Sequence[str]], name: str) -> str:
    return (given.get(name) or [""])[-1]


def _several(given: Mapping[str, Sequence[str]], name: str) -> tuple[str, ...]:
    values = dict.fromkeys(value[:LONGEST_TEXT] for value in given.get(name, ()) if value.strip())
    return tuple(values)[:MOST_VALUES]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def _usd(text: str) -> Decimal | None:
    try:
        usd = Decimal(text)
    except InvalidOperation:
        return None
    return usd if usd.is_finite() and 0 <= usd <= MOST_USD else None


def _page(text: str) -> int:
    fits = text.isascii() and text.isdigit() and len(text) < 8
    return max(1, int(text)) if fits else 1


def _midnight(day: date | None, zone: tzinfo) -> float | None:
    return datetime.combine(day, time(), zone).timestamp() if day else None

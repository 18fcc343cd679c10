"""Money and tokens: what is spent, what is set aside, and what a cap leaves of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fanout.policies import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    usd: Decimal = Decimal(0)
    tokens: int = 0
    """Input and output together."""

    def __add__(self, other: Amount) -> Amount:
        return Amount(usd=self.usd + other.usd, tokens=self.tokens + other.tokens)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(usd=self.usd - other.usd, tokens=self.tokens - other.tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What of a cap is not free any more."""

    spent: Amount = Amount()
    reserved: Amount = Amount()
    """Set aside for calls under way, at the most that they can take."""

    @property
    def all(self) -> Amount:
        return self.spent + self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One cap and what is taken of it."""

    whose: str
    """As a sentence says it: "the run's", "today's"."""
    cap: Budget
    taken: Amount

    @property
    def usd_left(self) -> Decimal | None:
        return None if self.cap.usd is None else max(self.cap.usd - self.taken.usd, Decimal(0))

    @property
    def tokens_left(self) -> int | None:
        return None if self.cap.tokens is None else max(self.cap.tokens - self.taken.tokens, 0)

    def money_fits(self, usd: Decimal) -> bool:
        """What costs nothing always fits."""
        return self.usd_left is None or usd == 0 or usd <= self.usd_left

    def tokens_fit(self, tokens: int) -> bool:
        return self.tokens_left is None or tokens <= self.tokens_left

    def fits(self, amount: Amount) -> bool:
        return self.money_fits(amount.usd) and self.tokens_fit(amount.tokens)

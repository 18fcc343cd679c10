"""The flags of `python -m fanout run` that set policies; no workflow is read for them."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation

ALL = "all"
LONGEST_S = 86_400
MOST_ATTEMPTS = 10


def add_policy_flags(run: argparse.ArgumentParser) -> None:
    """How the run behaves when something is slow, fails or costs too much."""
    group = run.add_argument_group(
        "policies", "for this run; without them, as the workflow's file says"
    )
    group.add_argument(
        "--wait-for",
        type=_branches,
        metavar="N|all",
        help="combine as soon as so many branches have succeeded",
    )
    group.add_argument(
        "--answer-after",
        type=_seconds,
        metavar="SECONDS",
        help="combine what is there so many seconds after the start",
    )
    group.add_argument(
        "--run-deadline", type=_seconds, metavar="SECONDS", help="end the whole run by then"
    )
    group.add_argument(
        "--first-token",
        type=_seconds_or_none,
        metavar="SECONDS",
        help="how long a first word may take; 0 waits without limit",
    )
    group.add_argument("--attempts", type=_attempts, metavar="N", help="requests per call, 1 to 10")
    group.add_argument(
        "--hedge",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="ask late calls a second time; the first answer wins, both are counted",
    )
    group.add_argument(
        "--fallback",
        metavar="MODEL[,MODEL]",
        help="who is asked, in this order, where a model can't answer",
    )
    group.add_argument(
        "--prefix",
        choices=("auto", "on", "off"),
        help="compute what branches share at the beginning once",
    )
    group.add_argument(
        "--budget", type=dollars, metavar="USD", help="the most that the run may cost"
    )
    group.add_argument(
        "--budget-tokens", type=tokens, metavar="N", help="the most tokens it may use, in and out"
    )


def _branches(text: str) -> int | str:
    if text == ALL:
        return ALL
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text} is neither a number of branches nor "{ALL}"')
    return int(text)


def _seconds(text: str) -> float:
    seconds = _seconds_or_none(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"{text} is no time; write seconds above 0")
    return seconds


def _seconds_or_none(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds") from None
    if not 0 <= seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} is no time from 0 to {LONGEST_S:,} seconds")
    return seconds


def _attempts(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_ATTEMPTS:
        raise argparse.ArgumentTypeError(
            f"{text} is no number of attempts from 1 to {MOST_ATTEMPTS}"
        )
    return int(text)


def dollars(text: str) -> Decimal:
    """A sum of money, as an argument; 0 lets only free models answer."""
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text} is no sum of dollars; write 0.05") from None
    if not amount.is_finite() or not 0 <= amount <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is no sum from 0 to 100,000 dollars")
    return amount


def tokens(text: str) -> int:
    """A number of tokens, as an argument."""
    if not text.isdecimal() or not 0 <= int(text) <= 10**12:
        raise argparse.ArgumentTypeError(f"{text} is no number of tokens")
    return int(text)

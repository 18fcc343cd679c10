"""The flags of `python -m fanout batch`, `batches` and `worker`; no table is read for them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from fanout.cli.later import later
from fanout.cli.policy_flags import dollars, tokens
from fanout.types import Via

Cap = TypeVar("Cap")
MOST_PER_MINUTE = 1_000_000
NO_CAP = "none"
WHICH = 'its id, or "last"'


def add_batch_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """`batch`, `batches` and `worker`."""
    batch = commands.add_parser(
        "batch",
        help="run a workflow on every row of a table",
        description="Runs a workflow on every row of a CSV, XLSX or JSONL file, or of a list with "
        "one topic a line. Exit status: 0 all rows succeeded, 3 some did not, 1 none did, "
        "130 paused or stopped, 2 wrong use.",
    )
    batch.add_argument("file", nargs="?", metavar="FILE", help='"-" reads standard input')
    _add_table(batch)
    _add_pace(batch)
    _add_ways(batch)
    _add_acts(batch)
    batch.set_defaults(command=later("batch", "batch_command"))
    listing = commands.add_parser("batches", help="list the batches, newest first")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(command=later("batches", "batches_command"))
    worker = commands.add_parser(
        "worker", help="carry out rows of batches until it is ended, beside any others"
    )
    worker.set_defaults(command=later("worker", "worker_command"))


def _add_table(batch: argparse.ArgumentParser) -> None:
    group = batch.add_argument_group("the table")
    group.add_argument("--workflow", metavar="W", help="a workflow's name, or a .toml file")
    group.add_argument("--column", default="", help="the column that holds the topics")
    group.add_argument("--sheet", default="", help="of a workbook; else the first with rows")
    group.add_argument(
        "--encoding", default="", metavar="NAME",
        help="of a text that is not UTF-8, such as shift_jis; else it is found out",
    )  # fmt: skip
    group.add_argument(
        "--var",
        action="append",
        default=[],
        type=_pair,
        metavar="COLUMN=NAME",
        help="let a column fill the workflow's variable {NAME}; those of its name do anyway",
    )
    group.add_argument(
        "--keep-duplicates", action="store_true", help="carry out repeated rows as well"
    )
    heads = group.add_mutually_exclusive_group()
    heads.add_argument(
        "--header", action="store_const", const=True, default=None,
        help="the first row names the columns",
    )  # fmt: skip
    heads.add_argument(
        "--no-header", dest="header", action="store_const", const=False,
        help="the first row is a topic already",
    )  # fmt: skip


def _add_pace(batch: argparse.ArgumentParser) -> None:
    group = batch.add_argument_group("pace and budget")
    group.add_argument("--model", default="", help="the model to ask")
    group.add_argument("--base-url", default="", help="an OpenAI-compatible endpoint")
    group.add_argument("--concurrency", type=_positive, metavar="N", help="rows at once")
    group.add_argument(
        "--per-minute",
        type=_per_minute,
        metavar="N",
        help="rows that may begin within a minute; 0 sets no limit",
    )
    group.add_argument(
        "--budget",
        type=_cap_in(dollars),
        metavar="USD|none",
        help="the most it may cost",
    )
    group.add_argument(
        "--budget-tokens",
        type=_cap_in(tokens),
        metavar="N|none",
        help="the most tokens, in and out",
    )
    group.add_argument(
        "--via",
        type=Via,
        choices=tuple(Via),
        metavar="{calls,provider_batch}",
        help="provider_batch: the provider's Batch API, cheaper and within a day",
    )


def _add_ways(batch: argparse.ArgumentParser) -> None:
    group = batch.add_argument_group("how it is carried out")
    group.add_argument("--title", default="", help="what people read; else the file's name")
    group.add_argument("--trial", action="store_true", help="the first three rows first")
    group.add_argument("--yes", action="store_true", help="ask nothing before it starts")
    group.add_argument(
        "--detach", action="store_true", help="leave it to the app or to workers, and return"
    )
    group.add_argument("--json", action="store_true", help="print one JSON object at the end")


def _add_acts(batch: argparse.ArgumentParser) -> None:
    group = batch.add_argument_group("with a batch that is there").add_mutually_exclusive_group()
    for flag, help in (
        ("--resume", "go on with it; after a trial, with all its other rows"),
        ("--pause", "begin no new row"),
        ("--stop", "end the rows under way as well"),
        ("--retry-failed", "ask again what failed, and only that"),
        ("--add", "add the rows of FILE to it"),
        ("--status", "say how far it is"),
        ("--rows", "print its rows with what came of them"),
    ):
        group.add_argument(flag, metavar="BATCH", help=f"{help} ({WHICH})")


def _pair(text: str) -> tuple[str, str]:
    column, equals, name = text.rpartition("=")
    if not equals or not column or not name.strip("{} "):
        raise argparse.ArgumentTypeError(f"{text} is not COLUMN=NAME")
    return column, name.strip("{} ")


def _cap_in(kind: Callable[[str], Cap]) -> Callable[[str], Cap | str]:
    """A cap, or the word that lifts it."""

    def cap(text: str) -> Cap | str:
        return NO_CAP if text.lower() == NO_CAP else kind(text)

    return cap


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return int(text)


def _per_minute(text: str) -> int:
    """0 lifts the limit."""
    number = 0 if text == "0" else _positive(text)
    if number > MOST_PER_MINUTE:
        raise argparse.ArgumentTypeError(f"{text} is past {MOST_PER_MINUTE:,}")
    return number

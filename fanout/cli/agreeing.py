"""What a person at a terminal is asked before something starts that costs money."""

from __future__ import annotations

import argparse
import sys


def agreed(options: argparse.Namespace, question: str) -> bool:
    """What the person says; nobody there to be asked has said it by starting the command."""
    if options.yes or not can_ask(options):
        return True
    print(f"{question} [Y/n] ", end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in ("", "y", "yes")
    except KeyboardInterrupt:
        return False


def can_ask(options: argparse.Namespace) -> bool:
    """Whether somebody is there to answer."""
    return options.file != "-" and sys.stdin.isatty() and sys.stderr.isatty()

"""`python -m fanout resume`: what is missing of a run, asked now."""

from __future__ import annotations

import argparse
import sys

from fanout.cli.records import id_of, unknown
from fanout.cli.run import EXIT_STATUS, say_what_is_not_kept, show_run, stop_on_signals
from fanout.engine.runtime import Runtime
from fanout.errors import InputError
from fanout.settings import Settings
from fanout.types import RunStatus

WHOLE = "Nothing of this run is missing."
NOT_NOW = "There is nothing to ask again here, or another process of Fanout is at work on this run."
FAILED = 1


def resume_command(options: argparse.Namespace) -> int:
    """Ask what is missing of a run, and only that; then combine anew."""
    with Runtime(Settings.from_environment()) as runtime:
        for problem in runtime.problems:
            print(f"fanout: {problem}", file=sys.stderr)
        run_id = id_of(runtime.store, options.run)
        handle = runtime.engine.get(run_id)
        if handle is None:
            raise InputError(unknown(run_id))
        if handle.fixed:
            raise InputError(f"This run can't be resumed: {handle.fixed}")
        stop_on_signals(handle)
        if not handle.resume():
            whole = handle.snapshot.status is RunStatus.SUCCEEDED
            print(WHOLE if whole else NOT_NOW, file=sys.stderr)
        snapshot = show_run(handle, options, "resumed")
    say_what_is_not_kept(runtime, handle)
    return FAILED if handle.outdated else EXIT_STATUS[snapshot.status]

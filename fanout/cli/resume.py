"""`python -m fanout resume`: what is missing of a run, asked now."""

from __future__ import annotations

import argparse
import sys

from fanout.cli.records import id_of, unknown
from fanout.cli.run import EXIT_STATUS, show_run, stop_on_signals
from fanout.engine.runtime import Runtime
from fanout.errors import InputError
from fanout.settings import Settings


def resume_command(options: argparse.Namespace) -> int:
    """Ask what is missing of a run, and only that; then combine anew."""
    with Runtime(Settings.from_environment()) as runtime:
        run_id = id_of(runtime.store, options.run)
        handle = runtime.engine.get(run_id)
        if handle is None:
            raise InputError(unknown(run_id))
        if handle.fixed:
            raise InputError(f"This run can't be resumed: {handle.fixed}")
        stop_on_signals(handle)
        if not handle.resume():
            print("Nothing of this run is missing.", file=sys.stderr)
        snapshot = show_run(handle, options, "resumed")
    return EXIT_STATUS[snapshot.status]

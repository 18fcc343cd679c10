"""`python -m fanout show`, `resume` and `replay`: a run of earlier, read, carried on, replayed."""

from __future__ import annotations

import argparse
import json
import sys

from fanout.cli.playback import Playback
from fanout.cli.progress import Progress, print_results
from fanout.cli.records import id_of, opened, stored, unknown
from fanout.cli.run import EXIT_STATUS, show_run, stop_on_signals
from fanout.engine.runtime import Runtime
from fanout.errors import InputError
from fanout.record import event_record, run_record
from fanout.settings import Settings


def show_command(options: argparse.Namespace) -> int:
    """Print a run as `run` printed it."""
    with opened() as store:
        run = stored(store, options.run)
    if options.events:
        for event in run.events:
            print(json.dumps(event_record(event), ensure_ascii=True))
    elif options.json:
        print(json.dumps(run_record(run.snapshot, run.snapshot.at), ensure_ascii=True))
    else:
        print_results(run.snapshot, sys.stdout)
    return 0


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


def replay_command(options: argparse.Namespace) -> int:
    """Play a run again with its own timing; no model and no network is needed."""
    with opened() as store:
        run = stored(store, options.run)
    playback = Playback(run.events, speed=options.speed)
    Progress(playback, "played again", sys.stderr).show()
    print_results(playback.snapshot, sys.stdout)
    return 0

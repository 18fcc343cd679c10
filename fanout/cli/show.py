"""`python -m fanout show` and `replay`: a run of earlier, read or seen again."""

from __future__ import annotations

import argparse
import json
import sys

from fanout.cli.playback import Playback
from fanout.cli.progress import Progress, print_results
from fanout.cli.records import opened, stored
from fanout.record import event_record, run_record


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


def replay_command(options: argparse.Namespace) -> int:
    """Play a run again with its own timing; no model and no network is needed."""
    with opened() as store:
        run = stored(store, options.run)
    playback = Playback(run.events, speed=options.speed)
    Progress(playback, "played again", sys.stderr).show()
    print_results(playback.snapshot, sys.stdout)
    return 0

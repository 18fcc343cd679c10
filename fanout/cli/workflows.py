"""`python -m fanout workflows`: what can be run."""

from __future__ import annotations

import argparse
import json
import sys

from fanout.settings import Settings
from fanout.workflows.library import load_all


def workflows_command(options: argparse.Namespace) -> int:
    """List the shipped workflows and the user's own; what can't be used goes to standard error."""
    library = load_all(Settings.usable()[0].home)
    for problem in library.problems:
        print(f"fanout: {problem}", file=sys.stderr)
    if options.json:
        rows = [workflow.model_dump(mode="json") for workflow in library.workflows]
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for workflow in library.workflows:
        titles = ", ".join(branch.title for branch in workflow.active)
        print(f"{workflow.name:<16} {workflow.promise or workflow.title}\n{'':<16} {titles}")
    return 0

"""`python -m fanout workflows`: what can be run."""

from __future__ import annotations

import argparse
import json
import sys

from fanout.workflows.library import shipped


def workflows_command(options: argparse.Namespace) -> int:
    """List the shipped workflows; files that can't be used are named on standard error."""
    library = shipped()
    for problem in library.problems:
        print(f"fanout: {problem}", file=sys.stderr)
    if options.json:
        rows = [workflow.model_dump(mode="json") for workflow in library.workflows]
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for workflow in library.workflows:
        titles = ", ".join(branch.title for branch in workflow.active)
        print(f"{workflow.name:<16} {workflow.promise}\n{'':<16} {titles}")
    return 0

"""`python -m fanout doctor`: looks at this installation and says what to do.

Exit status: 0 all is fine, 1 something is broken, 3 there are warnings.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import asdict

from fanout.doctor.examination import examine
from fanout.doctor.findings import Finding, Level, grouped, status
from fanout.doctor.settings_page import settings_page
from fanout.redaction import clean

_SIGNS = {Level.FINE: "ok", Level.NOTE: "-", Level.WARNING: "warning", Level.BROKEN: "broken"}


def doctor_command(options: Namespace) -> int:
    """Print what was found."""
    if options.settings:
        sys.stdout.write(settings_page())
        return 0
    findings = tuple(examine(port=options.port, offline=options.offline))
    if options.json:
        rows = [{key: clean(str(text)) for key, text in asdict(one).items()} for one in findings]
        print(json.dumps({"status": status(findings), "findings": rows}, ensure_ascii=False))
    else:
        print(clean(_told(findings)))
    return status(findings)


def _told(findings: Iterable[Finding]) -> str:
    found = list(findings)
    lines = []
    for name, of_group in grouped(found):
        lines.append(name)
        for finding in of_group:
            lines.append(f"  {_SIGNS[finding.level]:8}{finding.text}")
            lines += [f"  {'':8}> {finding.todo}"] if finding.todo else []
        lines.append("")
    return "\n".join([*lines, _sum(found)])


def _sum(findings: list[Finding]) -> str:
    broken = sum(finding.level is Level.BROKEN for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    if not broken + warnings:
        return "Everything is fine."
    many = f"{warnings} warning{'' if warnings == 1 else 's'}"
    return f"{broken} broken, {many}."

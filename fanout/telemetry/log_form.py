"""How lines of the log look: for people, or a JSON object each for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from threading import Lock

from fanout import redaction

NAME = "fanout"
_changing = Lock()


class Lines(logging.Formatter):
    """`2026-11-22 10:00:00 INFO fanout.runs: run finished run=... status=succeeded`."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).strftime("%Y-%m-%d %H:%M:%S")
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{moment} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        return redaction.clean(line + _trace(self, record))


class JsonLines(logging.Formatter):
    """One object a line: time (RFC 3339, UTC), level, logger, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        trace = _trace(self, record).strip()
        if trace:
            line["exception"] = trace
        return redaction.clean(json.dumps(line, ensure_ascii=False, default=str))


def write_log(form: str, level: str) -> None:
    """Send Fanout's own log to standard error; "text" or "json", from that level on.

    Other libraries' logs stay as they are. Calling it again changes the form.
    """
    logger = logging.getLogger(NAME)
    handler = logging.StreamHandler(sys.stderr)
    handler.of_fanout = True  # type: ignore[attr-defined]
    handler.setFormatter(JsonLines() if form == "json" else Lines())
    with _changing:
        for old in [h for h in logger.handlers if getattr(h, "of_fanout", False)]:
            logger.removeHandler(old)
        logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def _fields(record: logging.LogRecord) -> dict[str, object]:
    found = getattr(record, "fields", {})
    return found if isinstance(found, dict) else {}


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return f"\n{formatter.formatException(record.exc_info)}" if record.exc_info else ""

"""The forms in which a run can be handed over, each with its file ending and its maker.

A maker is imported when it is first needed: the report and the Word document bring libraries along
that the start of the app and of a command need not wait for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fanout.store.values import StoredRun

LONGEST_STEM = 40
_NO_WORD = re.compile(r"[^\w]+|_+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    name: str
    label: str
    about: str
    """What it is good for, in a few words."""
    ending: str
    mime: str
    make: Callable[[StoredRun], bytes]


def _html(run: StoredRun) -> bytes:
    from fanout.export.html import html_report

    return _text(html_report(run))


def _md(run: StoredRun) -> bytes:
    from fanout.export.markdown_export import markdown_export

    return _text(markdown_export(run))


def _json(run: StoredRun) -> bytes:
    from fanout.export.json_export import json_export

    return _text(json_export(run))


def _csv(run: StoredRun) -> bytes:
    from fanout.export.tables_csv import csv_export

    return _text(csv_export(run))


def _xlsx(run: StoredRun) -> bytes:
    from fanout.export.tables_workbook import xlsx_export

    return xlsx_export(run)


def _docx(run: StoredRun) -> bytes:
    from fanout.export.word_export import docx_export

    return docx_export(run)


def _py(run: StoredRun) -> bytes:
    from fanout.export.code.script import python_script

    return _text(python_script(run))


def _langgraph(run: StoredRun) -> bytes:
    from fanout.export.code.graph import langgraph_program

    return _text(langgraph_program(run))


def _text(text: str) -> bytes:
    """UTF-8, whatever is in it."""
    return text.encode("utf-8", "replace")


_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ALL = (
    ("html", "HTML report", "one file, with replay", ".html", "text/html", _html),
    ("md", "Markdown", "for notes and wikis", ".md", "text/markdown", _md),
    ("docx", "Word document", "to edit and print", ".docx", _WORD, _docx),
    ("xlsx", "Workbook", "numbers and texts on sheets", ".xlsx", _SHEET, _xlsx),
    ("csv", "CSV", "the numbers", ".csv", "text/csv", _csv),
    ("json", "JSON", "complete, imports back", ".json", "application/json", _json),
    ("py", "Python script", "does the same alone", ".py", "text/x-python", _py),
    ("langgraph", "LangGraph program", "the same as a graph", "-langgraph.py", "text/x-python",
     _langgraph),
)  # fmt: skip
FORMATS: Mapping[str, ExportFormat] = {
    name: ExportFormat(name=name, label=label, about=about, ending=end, mime=mime, make=make)
    for name, label, about, end, mime, make in _ALL
}
"""By name, in the order in which they are offered."""


def file_stem(run: StoredRun) -> str:
    """ "remote-work-2026-11-22-Xy12": topic, date and id; a file's name on any system."""
    day = datetime.fromtimestamp(run.snapshot.started_at, UTC).strftime("%Y-%m-%d")
    words = stem_of(run.label.name or run.snapshot.topic)
    run_id = re.sub(r"[^A-Za-z0-9_-]", "", run.id)[:64] or "run"
    return f"{words}-{day}-{run_id}"


def stem_of(text: str) -> str:
    """Letters and digits of any script with hyphens between them; never empty."""
    plain = unicodedata.normalize("NFC", text[:400]).casefold()
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in plain)
    words = "-".join(_NO_WORD.sub(" ", kept).split())
    # A letter may take four bytes, and 255 are what most systems allow for a name.
    return words[:LONGEST_STEM].strip("-") or "run"

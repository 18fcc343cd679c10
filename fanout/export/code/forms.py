"""The form of a structured answer as source, with both ways of asking for it."""

from __future__ import annotations

from fanout.export.code.source import call, value
from fanout.structured.asking import Rung, asked
from fanout.structured.strict import strict
from fanout.types import Form


def form_source(form: Form) -> str:
    """The form as an endpoint is told it, and how a prompt asks for it."""
    in_json, in_lines = (asked((), form, rung)[-1].content for rung in _RUNGS)
    given = {"name": form.name, "schema": strict(form.schema)}
    given |= {"in_json": in_json, "in_lines": in_lines}
    sources = {
        key: value(thing, indent=4, before=len(f"    {key}="), after=1)
        for key, thing in given.items()
    }
    return call("Form", sources)


_RUNGS = (Rung.JSON_SCHEMA, Rung.LINES)

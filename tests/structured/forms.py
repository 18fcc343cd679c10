"""The forms that the tests of structured answers ask for."""

from __future__ import annotations

from fanout.types import Form

SCALE = {"type": "integer", "minimum": 1, "maximum": 5}

VOTE = Form(
    name="vote",
    schema={
        "type": "object",
        "properties": {
            "reason": {"type": "string", "maxLength": 300},
            "verdict": {"type": "string", "enum": ["allow", "flag", "block"]},
            "severity": SCALE,
        },
        "required": ["reason", "verdict"],
        "additionalProperties": False,
    },
)

SCORES = Form(
    name="scores",
    schema={
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "scores": {
                "type": "object",
                "properties": {"clarity": SCALE, "depth": SCALE},
                "required": ["clarity", "depth"],
            },
            "ranking": {
                "type": "array",
                "items": {"type": "string", "enum": ["A", "B", "C"]},
                "minItems": 3,
                "uniqueItems": True,
            },
        },
        "required": ["reason", "scores", "ranking"],
    },
)

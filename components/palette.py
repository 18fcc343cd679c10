"""The colours and letters of `fanout.render.palette`, for everything on a page."""

from __future__ import annotations

from fanout.render.palette import AGGREGATE_COLOUR, DARK, LIGHT, branch_colour, letter

__all__ = ["AGGREGATE_COLOUR", "DARK", "LIGHT", "branch_colour", "letter"]

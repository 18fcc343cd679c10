"""What the screen says about the local model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from fanout.providers.local.resolve import Outline

Phase: TypeAlias = Literal["absent", "stopped", "starting", "ready", "failed"]
"""absent: something must be installed, downloaded or corrected before it can start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalState:
    phase: Phase
    message: str
    title: str
    progress: float | None = None
    """From 0 to 1 while weights are being downloaded."""

    @classmethod
    def before_start(cls, outline: Outline) -> LocalState:
        if outline.missing is not None:
            return cls(phase="absent", message=outline.missing, title=outline.title)
        message = f"{outline.title} starts when it is first needed."
        return cls(phase="stopped", message=message, title=outline.title)

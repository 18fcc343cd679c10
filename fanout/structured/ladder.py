"""Which way of asking for a form works, remembered per endpoint and model.

Every model starts on the highest rung. A refusal (`FormRefused`) is the server's word, so it goes
one rung down at once and for good. An ignored form is only a hint: a model that usually keeps to
the form may miss it once. So it takes two ignored in a row, with no success between them, to go
down; and a call that was still under way on the higher rung and succeeds there takes that back.

Only answers that say something of the rung are reported: one that failed, was declined or was cut
off by max_tokens (finish_reason "length") says nothing of it. What is learnt lasts as long as the
process.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from fanout.structured.asking import Rung
from fanout.types import ModelRef

IGNORED_IN_A_ROW = 2


_HEIGHT = {Rung.JSON_SCHEMA: 2, Rung.JSON_OBJECT: 1, Rung.LINES: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    rung: Rung = Rung.JSON_SCHEMA
    highest: Rung = Rung.JSON_SCHEMA
    """What no refusal has ruled out."""
    ignored: int = 0
    """Answers in a row that took no notice of `rung`."""


class Ladder:
    """Safe to use from any thread."""

    def __init__(self) -> None:
        self._standings: dict[ModelRef, _Standing] = {}
        self._lock = threading.Lock()

    def rung(self, model: ModelRef) -> Rung:
        """How to ask this model next."""
        with self._lock:
            return self._of(model).rung

    def refused(self, model: ModelRef, rung: Rung) -> bool:
        """The endpoint refused to be asked on that rung: True if there is a lower one to try.

        `rung(model)` then is lower than the one that was refused.
        """
        lower = rung.below
        if lower is None:
            return False
        with self._lock:
            standing = self._of(model)
            if _HEIGHT[standing.highest] > _HEIGHT[lower]:
                standing = replace(standing, highest=lower)
            if _HEIGHT[standing.rung] > _HEIGHT[lower]:
                standing = replace(standing, rung=lower, ignored=0)
            self._standings[model] = standing
        return True

    def ignored(self, model: ModelRef, rung: Rung) -> bool:
        """A whole answer took no notice of the form: True if the next call asks on a lower rung."""
        with self._lock:
            standing = self._of(model)
            if standing.rung is rung:
                standing = replace(standing, ignored=standing.ignored + 1)
                if standing.ignored >= IGNORED_IN_A_ROW and rung.below is not None:
                    standing = replace(standing, rung=rung.below, ignored=0)
                self._standings[model] = standing
            return _HEIGHT[standing.rung] < _HEIGHT[rung]

    def worked(self, model: ModelRef, rung: Rung) -> None:
        """An answer that was asked for on that rung had the form."""
        with self._lock:
            standing = self._of(model)
            back = _HEIGHT[standing.rung] < _HEIGHT[rung] <= _HEIGHT[standing.highest]
            if back or standing.rung is rung:
                self._standings[model] = replace(standing, rung=rung, ignored=0)

    def _of(self, model: ModelRef) -> _Standing:
        return self._standings.get(model, _Standing())

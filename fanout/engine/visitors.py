"""The people who use this process: for each a view of it, made when they come, tidied when gone."""

from __future__ import annotations

import threading
from time import monotonic, time
from typing import TYPE_CHECKING

from fanout.people import SIGN_IN_S, Claims, Person, PersonId, people_key

if TYPE_CHECKING:
    from fanout.engine.belongings import Belongings
    from fanout.engine.own import OwnRuntime
    from fanout.engine.runtime import Runtime

GONE_S = 1800.0
"""Who has not been seen for so long has left: endpoints they added are forgotten, with the keys,
once no run and no batch needs them."""
SWEEP_S = 60.0


class Visitors:
    """All methods may be called from any thread."""

    def __init__(self, whole: Runtime) -> None:
        """SettingsError where the secret that tells people apart can't be kept."""
        self._whole = whole
        given = whole.settings.people_key
        self._key = people_key(whole.settings.home, given.reveal() if given is not None else "")
        self._here: dict[PersonId, OwnRuntime] = {}
        self._lock = threading.Lock()
        self._swept = monotonic()

    def person(self, claims: Claims) -> Person | None:
        """Who signed in with these claims; None where that is nobody who is let in, where it was
        too long ago, or where they have signed out since. StoreError where that can't be told."""
        person = self._whole.settings.membership.person(self._key, claims)
        if person is None or person.signed_in_at < time() - SIGN_IN_S:
            return None
        signed_out = person.signed_in_at <= self._whole.store.signed_out_at(person.id)
        return None if signed_out else person

    def of(self, person: Person) -> OwnRuntime:
        """Fanout as that person has it."""
        own = self._view(person.id)
        if _gone(own):
            # Nobody else came meanwhile, so nothing was tidied.
            own.leave()
        own.person = person
        own.seen = monotonic()
        self._sweep()
        return own

    def belongings(self, person: PersonId) -> Belongings:
        """What a run of theirs is carried out with, also where they are gone."""
        return self._view(person).belongings

    def sign_out(self, person: Person) -> None:
        """This sign-in and earlier ones of theirs count no more, in no tab and with no copy of a
        cookie; what they added is forgotten once no run and no batch needs it. StoreError."""
        self._whole.store.sign_out(person.id, person.signed_in_at)
        with self._lock:
            own = self._here.get(person.id)
        if own is not None:
            own.seen = monotonic() - GONE_S
            self._sweep(now=True)

    def browser_closed(self, person: PersonId) -> bool:
        """What they added is forgotten; False while a run or a batch of theirs needs it."""
        with self._lock:
            own = self._here.get(person)
        if own is None:
            return True
        if own.in_use:
            return False
        own.leave()
        return True

    def close(self) -> None:
        with self._lock:
            here, self._here = list(self._here.values()), {}
        for own in here:
            own.close()

    def _view(self, person: PersonId) -> OwnRuntime:
        # Not above: a view is a runtime, and a runtime has visitors.
        from fanout.engine.own import OwnRuntime

        with self._lock:
            own = self._here.get(person)
            if own is None:
                most = self._whole.settings.membership.runs_per_hour
                own = self._here[person] = OwnRuntime(self._whole, Person(id=person), most)
            return own

    def _sweep(self, *, now: bool = False) -> None:
        with self._lock:
            if not now and monotonic() - self._swept < SWEEP_S:
                return
            self._swept = monotonic()
            here = list(self._here.values())
        for own in filter(_gone, here):
            own.leave()


def _gone(own: OwnRuntime) -> bool:
    return monotonic() - own.seen >= GONE_S and not own.in_use

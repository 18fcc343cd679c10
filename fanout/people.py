"""Who somebody is in shared mode: an opaque id made of what the sign-in vouches for, and no more.

Runs, budgets and folders know people by that id only. It can't be turned back into a name or an
address, and is another one on every installation, whose secret goes into it.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NewType

from fanout.errors import SettingsError

PersonId = NewType("PersonId", str)
NOBODY = PersonId("")
"""Who uses Fanout alone: runs of local mode are nobody's in particular."""
KEY_FILE = "people.key"
RUNS_PER_HOUR = 60
SIGN_IN_S = 7 * 24 * 3600.0
"""For so long a sign-in counts; whoever left the team meanwhile is out then at the latest."""
_KEY_BYTES = 32
_RUNS = "FANOUT_PERSON_RUNS_PER_HOUR"
Claims = Mapping[str, object]
"""What the identity provider says of somebody (OpenID Connect Core 1.0, 5.1 Standard Claims)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is signed in; the name is for their own screen and kept nowhere."""

    id: PersonId
    name: str = ""
    admin: bool = False
    signed_in_at: float = 0.0
    """Unix time, by the provider's clock."""


LOCAL = Person(id=NOBODY, admin=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Who may come in, and who sees how the whole is doing.

    FANOUT_MEMBERS  addresses, @domains or subjects that are let in; empty: all who can sign in
    FANOUT_ADMINS   addresses or subjects of those who see health and today's budget
    FANOUT_PERSON_RUNS_PER_HOUR  how many runs each may start in an hour
    """

    members: frozenset[str] = frozenset()
    admins: frozenset[str] = frozenset()
    runs_per_hour: int = RUNS_PER_HOUR

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Membership:
        """SettingsError, naming the variable, if one of them can't be used."""
        most = env.get(_RUNS, "").strip() or str(RUNS_PER_HOUR)
        if not (most.isascii() and most.isdigit() and 0 < int(most[:9]) < 10**6):
            raise SettingsError(f"{_RUNS} is a whole number from 1; it is none now.")
        return cls(
            members=_listed(env.get("FANOUT_MEMBERS", "")),
            admins=_listed(env.get("FANOUT_ADMINS", "")),
            runs_per_hour=int(most),
        )

    def admits(self, claims: Claims) -> bool:
        return not self.members or self._is_one_of(claims, self.members | self.admins)

    def person(self, key: bytes, claims: Claims) -> Person | None:
        """Who that is; None where the claims name nobody, or nobody who is let in."""
        issuer, subject = claims.get("iss"), claims.get("sub")
        if not (isinstance(issuer, str) and isinstance(subject, str) and issuer and subject):
            return None
        if not self.admits(claims):
            return None
        since = claims.get("iat")
        return Person(
            id=person_id(key, issuer, subject),
            name=_name(claims),
            admin=self._is_one_of(claims, self.admins),
            signed_in_at=float(since) if isinstance(since, int | float) else 0.0,
        )

    def _is_one_of(self, claims: Claims, listed: frozenset[str]) -> bool:
        names = {str(claims.get("sub", "")).casefold()}
        address = str(claims.get("email", "")).casefold()
        # Some providers let people claim any address: only one that was verified counts.
        if "@" in address and claims.get("email_verified") is True:
            names |= {address, "@" + address.rpartition("@")[2]}
        return bool(names & listed)


def person_id(key: bytes, issuer: str, subject: str) -> PersonId:
    """The same for the same account always; nobody without the key can tell whose it is."""
    told = f"{len(issuer)}|{issuer}|{subject}".encode()
    return PersonId(hmac.new(key, told, sha256).hexdigest()[:32])


def people_key(home: Path, given: str = "") -> bytes:
    """The secret that is given as 64 hexadecimal digits, or else the one in FANOUT_HOME, made at
    first need, for its owner's eyes only. SettingsError."""
    if given:
        return bytes.fromhex(given)
    path = home / KEY_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_key(path)
        path.chmod(0o600)
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{KEY_FILE} in FANOUT_HOME, which tells people apart, can't be used: "
            f"{error.strerror}. Set FANOUT_HOME to a folder that can be written."
        ) from None
    if len(key) < _KEY_BYTES:
        raise SettingsError(
            f"{KEY_FILE} in FANOUT_HOME is damaged. Bring it back from a backup: without it, "
            "people can't be told apart from strangers. If there is none, delete it; earlier runs "
            "then belong to nobody."
        )
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all, also where two processes start at once: the first one's counts."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        with suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _name(claims: Claims) -> str:
    for claim in ("name", "preferred_username", "email"):
        said = claims.get(claim)
        if isinstance(said, str) and said.strip():
            return " ".join(said.split())[:60]
    return "Signed in"


def _listed(text: str) -> frozenset[str]:
    return frozenset(one.casefold() for one in text.replace(",", " ").split())

"""Settings from the environment, read once: where Fanout writes, and which endpoint answers.

OPENAI_API_KEY   key of the endpoint
OPENAI_BASE_URL  address of the endpoint, usually ending in /v1
FANOUT_MODEL     model name there; without an endpoint a .gguf file or a Hub name to run here
FANOUT_EMBEDDING_MODEL  model there that turns texts into vectors; none if it is empty
FANOUT_DATABASE_URL  a PostgreSQL database for the runs; empty: a file in FANOUT_HOME
FANOUT_HOME      folder for everything the app writes; default .fanout/ beside app.py

FANOUT_SHARED    1 where several people use this Fanout: they sign in, and are kept apart
FANOUT_ALLOWED_HOSTS  hosts, or host:port, that people may ask there besides public ones; by commas
FANOUT_REDIS_URL      where several processes count the rate of calls together
FANOUT_DAY_USD, FANOUT_DAY_TOKENS                what everybody together may spend in a day
FANOUT_PERSON_DAY_USD, FANOUT_PERSON_DAY_TOKENS  what each person may
FANOUT_MAX_TOPIC_CHARS, _MAX_BRANCHES, _MAX_UPLOAD_MB, _MAX_DOCUMENTS, _MAX_RUNS,
_MAX_RUNS_PER_PERSON  bounds, see fanout/bounds.py
FANOUT_MEMBERS, FANOUT_ADMINS, FANOUT_PERSON_RUNS_PER_HOUR  see fanout/people.py

The environment comes first; what it leaves out may stand in a secrets file under the same names.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from fanout.bounds import Bounds
from fanout.endpoint import Endpoint, Secret
from fanout.errors import SettingsError
from fanout.people import Membership
from fanout.policies import Budget
from fanout.redaction import learn_all
from fanout.setting_values import bounds_in, budget_in, flag, hosts_in, of_both, redis_in
from fanout.types import EndpointId

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_DEFAULT_MODEL = "gpt-5-mini"
ENVIRONMENT = EndpointId("environment")
"""The id of the environment's endpoint."""
MODEL_SERVER_PORTS = frozenset({11434, 1234, 1337})
"""Ollama, LM Studio, Jan."""
DEFAULT_HOME = Path(__file__).resolve().parents[1] / ".fanout"
_OF_AN_ENDPOINT = frozenset(
    {"OPENAI_API_KEY", "OPENAI_BASE_URL", "FANOUT_MODEL", "FANOUT_EMBEDDING_MODEL", "FANOUT_HOME"}
)
"""What an app can come up without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    home: Path
    api_key: Secret | None = None
    base_url: str = ""
    model: str = ""
    embedding_model: str = ""
    database_url: Secret | None = None
    """A secret, since it may hold a password."""
    redis_url: Secret | None = None
    shared: bool = False
    """True where several people use this Fanout, who don't trust each other with everything."""
    allowed_hosts: tuple[str, ...] = ()
    """In shared mode: "host" or "host:port" that people may name besides public addresses."""
    day_budget: Budget = field(default_factory=Budget)
    """What everybody together may spend in a day (UTC)."""
    person_budget: Budget = field(default_factory=Budget)
    """What one person may spend in a day (UTC)."""
    bounds: Bounds = field(default_factory=Bounds)
    membership: Membership = field(default_factory=Membership)
    """Who is let in where it is shared, and how many runs each may start."""

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, object] | None = None,
    ) -> Settings:
        """SettingsError, naming the variable, if one of them can't be used.

        `secrets` is a secrets file that was read, for what the environment leaves out.
        """
        env = of_both(os.environ if environment is None else environment, secrets or {})
        learn_all(secrets or {})
        shared = flag(env, "FANOUT_SHARED")
        return cls(
            home=_home(env),
            api_key=checked_key(env.get("OPENAI_API_KEY", ""), "OPENAI_API_KEY"),
            base_url=checked_url(env.get("OPENAI_BASE_URL", ""), "OPENAI_BASE_URL"),
            model=env.get("FANOUT_MODEL", "").strip(),
            embedding_model=env.get("FANOUT_EMBEDDING_MODEL", "").strip(),
            database_url=_database_url(env),
            redis_url=redis_in(env, "FANOUT_REDIS_URL"),
            shared=shared,
            allowed_hosts=hosts_in(env, "FANOUT_ALLOWED_HOSTS"),
            day_budget=budget_in(env, "FANOUT_DAY"),
            person_budget=budget_in(env, "FANOUT_PERSON_DAY"),
            bounds=bounds_in(env, shared=shared),
            membership=Membership.from_environment(env),
        )

    @classmethod
    def usable(
        cls,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, object] | None = None,
    ) -> tuple[Settings, str]:
        """The same for an app that has to come up: what can be used, and what is wrong or "".

        A wrong variable leaves the whole endpoint out: a key that was meant for another address
        must not go to OpenAI's, nor a model's name to this machine. What keeps people apart and
        spending low has no such way out: SettingsError where one of those variables is wrong.
        """
        env = of_both(os.environ if environment is None else environment, secrets or {})
        try:
            return cls.from_environment(env), ""
        except SettingsError as error:
            problem = f"{error} Until that is mended, the bundled model on this machine answers."
        # Raises, where it is the safety of the place that can't be read.
        safe = cls.from_environment({n: v for n, v in env.items() if n not in _OF_AN_ENDPOINT})
        try:
            return replace(safe, home=_home(env), database_url=_database_url(env)), problem
        except SettingsError:
            return safe, problem

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint of the environment; None where the bundled model answers."""
        if not self.base_url and self.api_key is None:
            return None
        url = self.base_url or OPENAI_URL
        default = OPENAI_DEFAULT_MODEL if url == OPENAI_URL else ""
        plain = described(url, id=ENVIRONMENT, default_model=self.model or default)
        return replace(plain, embedding_model=self.embedding_model)

    @property
    def database(self) -> str:
        """The database of runs as `Store.open` takes it; "" is a file in `home`."""
        return self.database_url.reveal() if self.database_url is not None else ""

    @property
    def local_model(self) -> str:
        """Which model the bundled server loads: a path, a Hub name, or "" for the shipped one."""
        return "" if self.endpoint is not None else self.model

    def writable_home(self) -> Path:
        """FANOUT_HOME, made if need be; SettingsError if nothing can be written there."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            probe = self.home / ".write-test"
            probe.write_bytes(b"fanout")
            probe.unlink()
        except OSError as error:
            way_out = "Set FANOUT_HOME to a folder that can be written."
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                way_out = "Free some space, or set FANOUT_HOME to another folder."
            raise SettingsError(
                f"FANOUT_HOME ({self.home}) can't be written: {error.strerror}. {way_out}"
            ) from None
        return self.home


def checked_url(url: str, name: str) -> str:
    """A base URL without its trailing slash, or ""; SettingsError if it can't be one."""
    url = url.strip().rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise SettingsError(f"{name} is no web address. It looks like http://localhost:11434/v1.")
    if parts.username or parts.password:
        raise SettingsError(f"{name} holds a user or password. Give the key on its own instead.")
    if "?" in url or "#" in url:
        raise SettingsError(
            f"{name} goes on after a ? or #, which may hold a key. Leave that part out and give "
            "the key on its own."
        )
    return url


def checked_key(text: str, name: str) -> Secret | None:
    """A key, None where there is none; SettingsError if no server could be sent it."""
    key = text.strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingsError(
            f"{name} holds characters that no key has, such as a space or a line break that was "
            "copied along. Copy the key again."
        )
    return Secret(key) if key else None


def same_place(one: str, other: str) -> bool:
    """True where two base URLs lead to the same server, whatever this machine is called in them."""
    return _place(one) == _place(other)


def described(
    url: str, *, id: str, default_model: str = "", name: str = "", on_this_machine: bool = False
) -> Endpoint:
    """An endpoint for an address.

    A loopback address alone does not make it free, since it may be a gateway to a paid service;
    the usual port of a server that runs models itself does.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    here = on_this_machine or (
        host in ("localhost", "127.0.0.1", "::1") and parts.port in MODEL_SERVER_PORTS
    )
    return Endpoint(
        id=EndpointId(id),
        name=name or (f"{host}:{parts.port}" if parts.port else host),
        base_url=url,
        on_this_machine=here,
        slots=8,
        default_model=default_model,
    )


def _place(url: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname in ("localhost", "::1") else parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, host, port, parts.path.rstrip("/")


def _database_url(env: Mapping[str, str]) -> Secret | None:
    url = env.get("FANOUT_DATABASE_URL", "").strip()
    return Secret(url) if url else None


def _home(env: Mapping[str, str]) -> Path:
    named = env.get("FANOUT_HOME", "").strip()
    try:
        return Path(named).expanduser() if named else DEFAULT_HOME
    except RuntimeError:
        raise SettingsError(
            "FANOUT_HOME begins with the home folder of a user who isn't known here. "
            "Set it to a folder's full path."
        ) from None

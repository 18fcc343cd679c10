"""Settings, read once and checked: where Fanout writes, which endpoint answers, who may do what.

Which there are stands in fanout/settings_table.py (for people: docs/settings.md); where they come
from, in fanout/settings_sources.py.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from fanout.bounds import Bounds
from fanout.endpoint import Endpoint, Secret
from fanout.errors import SettingsError
from fanout.people import Membership
from fanout.policies import Budget
from fanout.redaction import learn_all
from fanout.setting_values import (
    bounds_in,
    budget_in,
    choice_in,
    flag,
    flag_in,
    hosts_in,
    people_key_in,
    port_in,
    redis_in,
    whole,
)
from fanout.setting_values import checked_key as checked_key
from fanout.setting_values import checked_url as checked_url
from fanout.settings_sources import ENDPOINT, Said, gathered, placed
from fanout.settings_table import BY_NAME
from fanout.types import EndpointId

log = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_DEFAULT_MODEL = "gpt-5-mini"
ENVIRONMENT = EndpointId("environment")
"""The id of the environment's endpoint."""
MODEL_SERVER_PORTS = frozenset({11434, 1234, 1337})
"""Ollama, LM Studio, Jan."""
_BESIDE = Path(__file__).resolve().parents[1]
DEFAULT_HOME = (_BESIDE if (_BESIDE / "app.py").exists() else Path.cwd()) / ".fanout"
"""Beside app.py; where Fanout was installed as a library, in the folder that it is started in."""
_CAN_DO_WITHOUT = ENDPOINT | {"FANOUT_HOME"}
"""What an app can come up without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    home: Path
    api_key: Secret | None = None
    base_url: str = ""
    model: str = ""
    embedding_model: str = ""
    calls_at_once: int = 8
    """To the endpoint, over all runs of this process."""
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

    people_key: Secret | None = None
    """What tells people apart, where it isn't to lie in `home`; 64 hexadecimal digits."""
    app_works: bool = True
    """The app's own process takes rows of batches."""
    log_form: str = "text"
    """Or "json"."""
    log_level: str = "warning"
    metrics_port: int = 0
    """0: none are served."""
    traces: str = ""
    """Where traces are sent by OTLP; "": nowhere."""
    file: Path | None = None
    """The settings file that was read."""
    warnings: tuple[str, ...] = ()
    """What was said and nobody understands, such as a misspelt variable."""
    places: Mapping[str, str] = field(default_factory=dict)
    """How to name what no variable of its own name holds."""

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, object] | None = None,
        *,
        endpoint_from_files: bool = True,
    ) -> Settings:
        """SettingsError, naming the variable or the key in the file, if one can't be used.

        `secrets` is a secrets file that was read, for what the environment leaves out. With
        `endpoint_from_files` False the caller names the endpoint, and files say nothing of it.
        """
        learn_all(secrets or {})
        said = gathered(
            os.environ if environment is None else environment,
            secrets or {},
            DEFAULT_HOME,
            endpoint_from_files=endpoint_from_files,
        )
        for warning in said.warnings:
            _warn(warning)
        return cls.said(said)

    @classmethod
    def said(cls, said: Said) -> Settings:
        """Of what was gathered; SettingsError as above."""
        env = said.values
        with said.told():
            said.check()
            return cls(
                home=_home(env),
                api_key=checked_key(env.get("OPENAI_API_KEY", ""), "OPENAI_API_KEY"),
                base_url=checked_url(env.get("OPENAI_BASE_URL", ""), "OPENAI_BASE_URL"),
                model=env.get("FANOUT_MODEL", "").strip(),
                embedding_model=env.get("FANOUT_EMBEDDING_MODEL", "").strip(),
                calls_at_once=whole(env, "FANOUT_CALLS_AT_ONCE", least=1) or 8,
                database_url=_database_url(env),
                redis_url=redis_in(env, "FANOUT_REDIS_URL"),
                shared=flag(env, "FANOUT_SHARED"),
                allowed_hosts=hosts_in(env, "FANOUT_ALLOWED_HOSTS"),
                day_budget=budget_in(env, "FANOUT_DAY"),
                person_budget=budget_in(env, "FANOUT_PERSON_DAY"),
                bounds=bounds_in(env, shared=flag(env, "FANOUT_SHARED")),
                membership=Membership.from_environment(env),
                people_key=people_key_in(env, "FANOUT_PEOPLE_KEY"),
                app_works=flag_in(env, "FANOUT_APP_WORKS", default=True),
                log_form=_choice(env, "FANOUT_LOG"),
                log_level=_choice(env, "FANOUT_LOG_LEVEL"),
                metrics_port=port_in(env, "FANOUT_METRICS"),
                traces=checked_url(env.get("FANOUT_TRACES", ""), "FANOUT_TRACES"),
                file=said.file,
                warnings=said.warnings,
                places=said.places,
            )

    @classmethod
    def usable(
        cls,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, object] | None = None,
    ) -> tuple[Settings, str]:
        """The same for an app that has to come up: what can be used, and what is wrong or "".

        A wrong setting leaves the whole endpoint out: a key that was meant for another address
        must not go to OpenAI's, nor a model's name to this machine. What keeps people apart and
        spending low has no such way out: SettingsError where one of those is wrong, or where the
        settings file can't be read at all.
        """
        learn_all(secrets or {})
        said = gathered(
            os.environ if environment is None else environment, secrets or {}, DEFAULT_HOME
        )
        try:
            settings = cls.said(said)
            return settings, " ".join(settings.warnings)
        except SettingsError as error:
            problem = f"{error} Until that is mended, the bundled model on this machine answers."
        problem = " ".join((problem, *said.warnings))
        # Raises, where it is the safety of the place that can't be read.
        safe = cls.said(said.without(_CAN_DO_WITHOUT))
        try:
            return replace(safe, home=_home(said.values)), problem
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
        return replace(plain, embedding_model=self.embedding_model, slots=self.calls_at_once)

    @property
    def database(self) -> str:
        """The database of runs as `Store.open` takes it; "" is a file in `home`."""
        return self.database_url.reveal() if self.database_url is not None else ""

    def placed(self, said: str) -> str:
        """What is wrong with a setting, with the file and line that it stands in."""
        return placed(said, self.places)

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
            # Another process may try the same, and be the first to clear it away.
            probe.unlink(missing_ok=True)
        except OSError as error:
            way_out = "Set FANOUT_HOME to a folder that can be written."
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                way_out = "Free some space, or set FANOUT_HOME to another folder."
            raise SettingsError(
                f"FANOUT_HOME ({self.home}) can't be written: {error.strerror}. {way_out}"
            ) from None
        return self.home


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


@cache
def _warn(text: str) -> None:
    """Once in a process, however often its settings are read."""
    log.warning("%s", text)


def _choice(env: Mapping[str, str], name: str) -> str:
    setting = BY_NAME[name]
    return choice_in(env, name, setting.choices, setting.default)


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

"""Settings from the environment, read once: where Fanout writes, and which endpoint answers.

OPENAI_API_KEY   key of the endpoint
OPENAI_BASE_URL  address of the endpoint, usually ending in /v1
FANOUT_MODEL     model name there; without an endpoint a .gguf file or a Hub name to run here
FANOUT_HOME      folder for everything the app writes; default .fanout/ beside app.py
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fanout.endpoint import Endpoint, Secret
from fanout.errors import SettingsError
from fanout.types import EndpointId

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_DEFAULT_MODEL = "gpt-5-mini"
MODEL_SERVER_PORTS = frozenset({11434, 1234, 1337})
"""Ollama, LM Studio, Jan."""
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    home: Path
    api_key: Secret | None = None
    base_url: str = ""
    model: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """SettingsError, naming the variable, if one of them can't be used."""
        env = os.environ if environment is None else environment
        key = env.get("OPENAI_API_KEY", "").strip()
        return cls(
            home=Path(env.get("FANOUT_HOME", "").strip() or ROOT / ".fanout").expanduser(),
            api_key=Secret(key) if key else None,
            base_url=checked_url(env.get("OPENAI_BASE_URL", ""), "OPENAI_BASE_URL"),
            model=env.get("FANOUT_MODEL", "").strip(),
        )

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint of the environment; None where the bundled model answers."""
        if not self.base_url and self.api_key is None:
            return None
        url = self.base_url or OPENAI_URL
        default = OPENAI_DEFAULT_MODEL if url == OPENAI_URL else ""
        return described(url, id="environment", default_model=self.model or default)

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
            raise SettingsError(
                f"FANOUT_HOME ({self.home}) can't be written: {error.strerror}. "
                "Free some space, or set FANOUT_HOME to another folder."
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
    if not usable:
        raise SettingsError(f"{name} is no web address. It looks like http://localhost:11434/v1.")
    if parts.username or parts.password:
        raise SettingsError(f"{name} holds a user or password. Give the key on its own instead.")
    return url


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

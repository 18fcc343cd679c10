"""All checks in their order; one that fails itself is a finding too, and ends no other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from fanout import redaction
from fanout.doctor.findings import Finding, Group
from fanout.inventory import ROOT
from fanout.settings import Settings

APP_PORT = 8501
Check: TypeAlias = Callable[[], Iterator[Finding]]


def examine(
    environment: Mapping[str, str] | None = None,
    *,
    port: int = APP_PORT,
    offline: bool = False,
    places: tuple[Path, ...] = (Path.home(), ROOT),
) -> Iterator[Finding]:
    """Finding by finding, as soon as it is known.

    `port` is the app's; `offline` asks no endpoint and no identity provider; in `places` lie the
    secrets files that Streamlit reads.
    """
    # Each part loads on its own, so that a package that is missing is told by the part it breaks.
    from fanout.doctor.configuration import configuration
    from fanout.doctor.people import secrets_file

    redaction.install()
    env = os.environ if environment is None else environment
    redaction.learn_all(env)
    secrets, wrong = secrets_file(places)
    redaction.learn_all(secrets)
    found, settings = configuration(env, secrets, wrong)
    yield from found
    for name, check in _checks(settings, secrets, port, offline):
        yield from _guarded(name, check)


def _checks(
    settings: Settings, secrets: Mapping[str, object], port: int, offline: bool
) -> Iterator[tuple[str, Check]]:
    def of(module: str, name: str, *given: object, **named: object) -> Check:
        return partial(_later, module, name, given, named)

    yield "Python", of("machine", "python", needs_model=settings.endpoint is None)
    yield "Folder", of("machine", "folder", settings)
    yield "Database", of("databases", "database", settings)
    yield "Redis", of("databases", "redis", settings)
    yield "Endpoint", of("models", "endpoint", settings, offline=offline)
    yield "Model on this machine", of("models", "machine", settings)
    yield "Sign-in", of("people", "sign_in", settings, secrets, offline=offline)
    yield "Ports", of("machine", "ports", settings, port)
    yield "Traces and metrics", of("machine", "inside", settings)
    yield "Time and language", of("machine", "clock_and_language")


def _later(
    module: str, name: str, given: tuple[object, ...], named: Mapping[str, object]
) -> Iterator[Finding]:
    from importlib import import_module

    check: Callable[..., Iterator[Finding]] = getattr(
        import_module(f"fanout.doctor.{module}"), name
    )
    yield from check(*given, **named)


def _guarded(name: str, check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except ImportError as error:
        yield Group(name=name).broken(
            f"The package {error.name} is missing, so this was not looked at.",
            "python -m pip install --require-hashes -r requirements.lock",
        )
    except Exception as error:
        said = redaction.clean(f"{type(error).__name__}: {error}")[:300]
        yield Group(name=name).broken(
            f"This could not be looked at: {said}", "Please report it, with this line."
        )

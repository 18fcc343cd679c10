"""Who answers: the endpoint and the models that it lists, or the model on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio

from fanout.doctor.findings import Finding, Group
from fanout.endpoint import Endpoint
from fanout.errors import LocalModelError, ProviderError
from fanout.providers.local.download import downloaded
from fanout.providers.local.weights import (
    BUNDLED_SHA256,
    INSTALL,
    file_model,
    parse_setting,
    require_bundled,
    require_runtime,
    sha256,
)
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.settings import Settings

_ENDPOINT = Group(name="Endpoint")
_MACHINE = Group(name="Model on this machine")


def endpoint(settings: Settings, *, offline: bool = False) -> Iterator[Finding]:
    """Asks for its list of models, with the key, which costs nothing; never for a word."""
    found = settings.endpoint
    if found is None:
        yield _ENDPOINT.note("None is set; the model on this machine answers")
        return
    key = "with a key" if settings.api_key is not None else "without a key"
    if offline:
        yield _ENDPOINT.note(f"{found.host} {key}; not asked (--offline)")
        return
    try:
        names = anyio.run(_listed, found, settings)
    except ProviderError as error:
        yield _ENDPOINT.broken(
            f"{found.host}, {key}: {error.failure.message}",
            "Mend OPENAI_BASE_URL or OPENAI_API_KEY, or start that server.",
        )
        return
    models = "1 model" if len(names) == 1 else f"{len(names):,} models"
    yield _ENDPOINT.fine(f"{found.host} answers {key} and lists {models}")
    yield from _known(found, names)


async def _listed(found: Endpoint, settings: Settings) -> tuple[str, ...]:
    provider = OpenAICompatible(found, settings.api_key)
    try:
        return await provider.models()
    finally:
        await provider.aclose()


def _known(found: Endpoint, names: tuple[str, ...]) -> Iterator[Finding]:
    if not names and not found.default_model:
        yield _ENDPOINT.broken("It lists no model, and none is named.", "Set FANOUT_MODEL.")
    for name, variable in (
        (found.default_model, "FANOUT_MODEL"),
        (found.embedding_model, "FANOUT_EMBEDDING_MODEL"),
    ):
        if not name:
            continue
        if name in names:
            yield _ENDPOINT.fine(f"{name} is among them")
        else:
            # Some list only a part of what they answer for.
            yield _ENDPOINT.warning(f"{name} is not in its list.", f"See whether {variable} fits.")


def machine(settings: Settings) -> Iterator[Finding]:
    """llama.cpp and the weights that it loads; the bundled ones by their checksum."""
    needed = settings.endpoint is None
    try:
        require_runtime()
        if needed and settings.local_model:
            yield from _own(settings.local_model, settings.home)
        else:
            yield _bundled(require_bundled())
    except LocalModelError as error:
        text = str(error)
        yield (
            _MACHINE.broken(text)
            if needed
            else _MACHINE.note(f"{text} No need: an endpoint is set")
        )


def _bundled(path: Path) -> Finding:
    if sha256(path) != BUNDLED_SHA256:
        return _MACHINE.broken(
            f"{path.name} is damaged: its checksum is not the published one.",
            f"{INSTALL} --force-reinstall",
        )
    size = path.stat().st_size / 1_000_000
    return _MACHINE.fine(f"{path.name} is there, {size:,.0f} MB, its checksum right")


def _own(setting: str, home: Path) -> Iterator[Finding]:
    named = parse_setting(setting)
    if named is None:
        yield _bundled(require_bundled())
    elif isinstance(named, Path):
        model = file_model(named)
        yield _MACHINE.fine(f"{model.title} can be read")
    elif downloaded(named, home) is None:
        yield _MACHINE.note(f"{named} will be downloaded at the first start")
    else:
        yield _MACHINE.fine(f"{named} was downloaded")

"""From a setting to weights that can be loaded, downloading them where the setting says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from anyio import to_thread

from fanout.errors import LocalModelError
from fanout.providers.local import weights
from fanout.providers.local.download import Report, download, downloaded
from fanout.providers.local.weights import HubName, LocalModel, parse_setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What can be said about a model before it is loaded, checked or even here."""

    title: str
    id: str
    missing: str | None = None
    """What to do first, where it can't be started as things are."""


async def resolve(setting: str | None, home: Path, report: Report) -> LocalModel:
    """The weights that a setting names, checked and on this machine; raises LocalModelError."""
    weights.require_runtime()
    match parse_setting(setting):
        case None:
            return await to_thread.run_sync(weights.bundled_model, home)
        case HubName() as name:
            return weights.file_model(await download(name, home, report), "hub")
        case Path() as path:
            return weights.file_model(path)
        case never:
            assert_never(never)


def outline(setting: str | None, home: Path) -> Outline:
    """A quick look without network or checksum; never raises."""
    title, model_id = weights.BUNDLED_TITLE, weights.BUNDLED_ID
    try:
        match parse_setting(setting):
            case None:
                pass
            case HubName() as name:
                title, model_id = name.repo.split("/")[1], name.repo
                if (path := downloaded(name, home)) is not None:
                    model = weights.file_model(path, "hub")
                    title, model_id = model.title, model.id
            case Path() as path:
                title, model_id = path.stem[:60], path.stem
                title = weights.file_model(path).title
            case never:
                assert_never(never)
        weights.require_runtime()
        if setting is None or not setting.strip():
            weights.require_bundled()
    except LocalModelError as error:
        return Outline(title=title, id=model_id, missing=str(error))
    return Outline(title=title, id=model_id)

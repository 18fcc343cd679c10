"""The settings themselves: each one that can't be used, and those that do nothing as they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from fanout.doctor.findings import Finding, Group
from fanout.errors import SettingsError
from fanout.settings import DEFAULT_HOME, Settings
from fanout.settings_sources import ENDPOINT, Said, gathered
from fanout.settings_table import BY_NAME, FILE, SETTINGS

_SETTINGS = Group(name="Settings")
_NEEDS = "Mend it there; docs/settings.md lists what each may be."
_LEFT_OUT = "Until that is mended, the whole endpoint is left out, and no key is sent anywhere"


def configuration(
    environment: Mapping[str, str], secrets: Mapping[str, object], wrong_secrets: str = ""
) -> tuple[list[Finding], Settings]:
    """Every setting that is wrong, and the settings without those, to look at the rest with.

    As in the app, one wrong word about the endpoint leaves all of it out: a key that was meant for
    another address must not go to OpenAI's.
    """
    found = []
    if wrong_secrets:
        found.append(_SETTINGS.broken(wrong_secrets, "Mend that file."))
    try:
        said = gathered(environment, secrets, DEFAULT_HOME)
    except SettingsError as error:
        found.append(_SETTINGS.broken(str(error), _NEEDS))
        found.append(_SETTINGS.note(_LEFT_OUT))
        left_out = ENDPOINT | {"FANOUT_CONFIG"}
        good, _ = _good(Said(values=environment).without(left_out))
        return found, Settings.said(Said(values=good))
    good, problems = _good(said)
    found += [_SETTINGS.broken(problem, _NEEDS) for problem in problems.values()]
    if wrong_secrets or ENDPOINT & set(problems):
        if ENDPOINT & set(said.values):
            found.append(_SETTINGS.note(_LEFT_OUT))
        good = {name: text for name, text in good.items() if name not in ENDPOINT}
    found += [_SETTINGS.warning(each, "Rename or remove it.") for each in said.warnings]
    found += _without_effect(good)
    found += _open_to_others(said)
    settings = Settings.said(Said(values=good, file=said.file, places=said.places))
    if not problems:
        set_here = sum(setting.name in said.values for setting in SETTINGS)
        source = f"; file {said.file}" if said.file is not None else ""
        found.insert(0, _SETTINGS.fine(f"{set_here} of {len(SETTINGS)} are set{source}"))
    return found, settings


def _good(said: Said) -> tuple[dict[str, str], dict[str, str]]:
    """What can be used, each by itself, and what is wrong with the others."""
    good: dict[str, str] = {}
    problems: dict[str, str] = {}
    for setting in SETTINGS:
        name = setting.name
        alone = Said(
            values={n: v for n, v in said.values.items() if n == name},
            wrong={n: why for n, why in said.wrong.items() if n == name},
            places=said.places,
        )
        try:
            Settings.said(alone)
        except SettingsError as error:
            problems[name] = str(error)
        else:
            good |= dict(alone.values)
    return good, problems


def _without_effect(good: Mapping[str, str]) -> Iterator[Finding]:
    if not Settings.said(Said(values=good)).shared:
        idle = [name for name in good if name in BY_NAME and BY_NAME[name].shared_only]
        if idle:
            counts = "counts" if len(idle) == 1 else "count"
            yield _SETTINGS.warning(
                f"{', '.join(idle)} {counts} only where FANOUT_SHARED is on: now everybody who "
                "reaches this Fanout may use it.",
                "Set FANOUT_SHARED=1, or leave them out.",
            )
    if "FANOUT_EMBEDDING_MODEL" in good and not {"OPENAI_API_KEY", "OPENAI_BASE_URL"} & set(good):
        yield _SETTINGS.warning(
            "FANOUT_EMBEDDING_MODEL is of an endpoint, and none is set.",
            "Set OPENAI_BASE_URL, or leave it out.",
        )


def _open_to_others(said: Said) -> Iterator[Finding]:
    """A settings file that holds a secret is for those who need it."""
    held = [
        BY_NAME[name].key
        for name, place in said.places.items()
        if BY_NAME[name].secret and place != name + FILE
    ]
    if said.file is None or not held:
        return
    mode, todo = _others(said.file)
    if todo:
        yield _SETTINGS.warning(
            f"{said.file} holds {', '.join(held)}, and others may read it (mode {mode:o}).", todo
        )


def _others(path: Path) -> tuple[int, str]:
    """The mode, and what shuts out whom it need not let in; "" where it lets in nobody else.

    A group may be how this user gets at the file, or how root gave it to a service; only where the
    file is an ordinary user's own does nobody need the group.
    """
    try:
        there = path.stat()
    except OSError:
        return 0, ""
    mode = there.st_mode & 0o777
    if os.name != "posix":
        return mode, ""
    own = there.st_uid == os.geteuid() != 0
    if own and mode & 0o070:
        return mode, f"chmod go= {path}"
    return mode, f"chmod o= {path}" if mode & 0o007 else ""

"""Where settings come from, the first that says something counts: environment, files, a file.

1. The environment, and for a secret a file that NAME_FILE names (as Docker's secrets are given).
2. A secrets file that the app has read (Streamlit's), under the same names.
3. The settings file: FANOUT_CONFIG, or else fanout.toml in FANOUT_HOME.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from fanout.errors import SettingsError
from fanout.redaction import learn
from fanout.setting_values import of_both
from fanout.settings_file import NAME, FromFile, read
from fanout.settings_names import unknown_names
from fanout.settings_table import FILE, SETTINGS

ENDPOINT = frozenset(
    {
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "FANOUT_MODEL",
        "FANOUT_EMBEDDING_MODEL",
        "FANOUT_CALLS_AT_ONCE",
    }
)
MOST_SECRET_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Everything that is said, by the name of the variable."""

    values: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    """What can't be used, and why; SettingsError where it is needed."""
    places: Mapping[str, str] = field(default_factory=dict)
    """For those that no variable of that name holds, how to name them."""
    file: Path | None = None
    warnings: tuple[str, ...] = ()

    def without(self, names: frozenset[str]) -> Said:
        return replace(
            self,
            values={n: v for n, v in self.values.items() if n not in names},
            wrong={n: why for n, why in self.wrong.items() if n not in names},
        )

    def check(self) -> None:
        """SettingsError for the first thing that can't be used."""
        for why in self.wrong.values():
            raise SettingsError(why)

    @contextmanager
    def told(self) -> Iterator[None]:
        """A SettingsError names the key, file and line of what stands in the settings file."""
        try:
            yield
        except SettingsError as error:
            raise SettingsError(placed(str(error), self.places)) from None


def placed(said: str, places: Mapping[str, str]) -> str:
    """The same words, with the setting that they are about named as it can be found."""
    # Longer names first: one may be the beginning of another.
    names = sorted(places, key=len, reverse=True)
    if not names:
        return said
    whole = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")
    return whole.sub(lambda found: places[found[0]], said, count=1)


def gathered(
    environment: Mapping[str, str],
    secrets: Mapping[str, object],
    default_home: Path,
    *,
    endpoint_from_files: bool = True,
) -> Said:
    """`endpoint_from_files` False: whoever calls names the endpoint, so files say nothing of it.

    SettingsError where the settings file can't be read or has a key that nobody knows.
    """
    env = of_both(environment, secrets)
    if not endpoint_from_files:
        for name in ENDPOINT:
            env.pop(name + FILE, None)
    wrong, by_file = _add_secret_files(env)
    found = _of_file(env, default_home)
    # A key goes to no other address than the one that it stands beside.
    elsewhere = "OPENAI_BASE_URL" in env and env["OPENAI_BASE_URL"].rstrip("/") != found.values.get(
        "OPENAI_BASE_URL", ""
    ).rstrip("/")
    left_out = elsewhere or not endpoint_from_files
    given = {*env, *wrong} | (ENDPOINT if left_out else frozenset())
    values = {name: text for name, text in found.values.items() if name not in given}
    for setting in SETTINGS:
        if setting.secret and setting.name in found.values:
            learn(found.values[setting.name])
    return Said(
        values={**values, **env},
        wrong={**{n: why for n, why in found.wrong.items() if n not in given}, **wrong},
        places={n: place for n, place in found.places.items() if n not in given} | by_file,
        file=found.path,
        warnings=unknown_names(env),
    )


def _add_secret_files(env: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Reads what NAME_FILE names into `env`; returns those that can't be, with the reason, and the
    variable that named each of the others."""
    wrong, read_from = {}, {}
    for setting in SETTINGS:
        name, by_file = setting.name, setting.name + FILE
        if not setting.secret or by_file not in env:
            continue
        if name in env:
            wrong[name] = f"{name} and {by_file} are both set. Leave one of them out."
            continue
        try:
            # Never shows the name: somebody may have put the secret itself there.
            text = _first_bytes(Path(env[by_file].strip()).expanduser())
        except (OSError, ValueError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            wrong[name] = f"{by_file} names a file that can't be read: {why}."
            continue
        if text:
            env[name] = text
            read_from[name] = by_file
            learn(text)
        else:
            wrong[name] = f"{by_file} names a file that is empty."
    return wrong, read_from


def _first_bytes(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_SECRET_BYTES).decode("utf-8-sig").strip()


def _of_file(env: Mapping[str, str], default_home: Path) -> FromFile:
    named = env.get("FANOUT_CONFIG", "").strip()
    try:
        home = Path(env.get("FANOUT_HOME", "").strip() or default_home).expanduser()
        path = Path(named).expanduser() if named else home / NAME
    except RuntimeError:
        if named:
            raise SettingsError(
                "FANOUT_CONFIG begins with the home folder of a user who isn't known here. "
                "Set it to a file's full path."
            ) from None
        return FromFile()
    try:
        there = path.exists()
    except OSError:
        there = False
    if not named and not there:
        return FromFile()
    found = read(path)
    if not named and "FANOUT_HOME" in found.places:
        raise SettingsError(
            f"{found.places['FANOUT_HOME']} can't say where FANOUT_HOME is, since it lies in it. "
            "Set FANOUT_HOME in the environment, or name the file in FANOUT_CONFIG."
        )
    return found

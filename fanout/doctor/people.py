"""Where several people share this Fanout: what tells them apart, and whether they can sign in."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from fanout.doctor.findings import Finding, Group
from fanout.errors import SettingsError
from fanout.people import KEY_FILE, people_key
from fanout.settings import Settings

SECRETS = Path(".streamlit") / "secrets.toml"
CALLBACK = "/oauth2callback"
LEAST_SECRET = 32
OF_A_PROVIDER = ("client_id", "client_secret", "server_metadata_url")
METADATA_S = 5.0
MOST_BYTES = 1_000_000
_SHARED = Group(name="Sign-in")


def secrets_file(places: tuple[Path, ...]) -> tuple[Mapping[str, object], str]:
    """What Streamlit's secrets files say, the later winning, and what is wrong with them or ""."""
    found: dict[str, object] = {}
    for folder in places:
        path = folder / SECRETS
        try:
            found |= tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return found, f"{path} can't be read as TOML."
    return found, ""


def sign_in(
    settings: Settings, secrets: Mapping[str, object], *, offline: bool = False
) -> Iterator[Finding]:
    """Nothing where nobody signs in."""
    if not settings.shared:
        return
    yield from _key(settings)
    if not settings.membership.members:
        yield _SHARED.note(
            "FANOUT_MEMBERS is empty: everybody whom the identity provider lets in may come in",
            "Set it where anybody can have an account there.",
        )
    auth = secrets.get("auth")
    lacking = list(lacks(auth if isinstance(auth, Mapping) else {}))
    for each in lacking:
        yield _SHARED.broken(each, "docs/sharing.md says what stands there.")
    if isinstance(auth, Mapping) and not lacking:
        yield _SHARED.fine(f"Set up for {auth['redirect_uri']}")
        for name, section in providers(auth):
            yield _metadata(name, str(section["server_metadata_url"]), offline)


def _key(settings: Settings) -> Iterator[Finding]:
    if settings.people_key is not None:
        yield _SHARED.fine("FANOUT_PEOPLE_KEY tells people apart; keep a backup of it")
        return
    path = settings.home / KEY_FILE
    if not path.exists():
        yield _SHARED.note(f"{KEY_FILE} in FANOUT_HOME is made at the first start; back it up then")
        return
    try:
        people_key(settings.home)
    except SettingsError as error:
        yield _SHARED.broken(str(error))
    else:
        yield _SHARED.fine(f"{KEY_FILE} is there; without a backup of it nobody finds their runs")


def lacks(auth: Mapping[str, object]) -> Iterator[str]:
    """What keeps people from signing in, as components/sign_in/setup.py judges it too."""
    if not auth:
        yield f"There is no [auth] section in {SECRETS}."
        return
    redirect = urlsplit(str(auth.get("redirect_uri", "")))
    if not (redirect.scheme in ("http", "https") and redirect.netloc and redirect.path == CALLBACK):
        yield f"redirect_uri must be this app's address followed by {CALLBACK}."
    if len(str(auth.get("cookie_secret", ""))) < LEAST_SECRET:
        yield f"cookie_secret must be a random text of {LEAST_SECRET} or more characters."
    if not list(providers(auth)):
        yield f"No identity provider is described: that takes {', '.join(OF_A_PROVIDER)}."


def providers(auth: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The sections that describe one completely; "" is the name of [auth] itself."""
    for name, section in (("", auth), *auth.items()):
        if isinstance(section, Mapping) and all(section.get(each) for each in OF_A_PROVIDER):
            yield name, section


def _metadata(name: str, url: str, offline: bool) -> Finding:
    host = urlsplit(url).netloc.rpartition("@")[2]
    who = f"{name} ({host})" if name else host
    if offline:
        return _SHARED.note(f"{who}: not asked (--offline)")
    todo = "Mend server_metadata_url, or see whether this machine may reach it."
    try:
        answer = httpx2.get(url, timeout=METADATA_S, follow_redirects=True)
        document = answer.json() if len(answer.content) <= MOST_BYTES else None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return _SHARED.broken(f"{who} can't be reached ({type(error).__name__}).", todo)
    except ValueError:
        document = None
    if answer.status_code != 200 or not isinstance(document, dict) or "issuer" not in document:
        return _SHARED.broken(
            f"{who} answers with no OpenID configuration (status {answer.status_code}).", todo
        )
    return _SHARED.fine(f"{who} describes itself as {str(document['issuer'])[:100]}")

"""Whether signing in is set up, and where it isn't, what is missing: for whoever installs it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import streamlit as st
from streamlit.auth_util import get_secrets_auth_section, is_authlib_installed

LEAST_SECRET = 32
OF_A_PROVIDER = ("client_id", "client_secret", "server_metadata_url")
CALLBACK = "/oauth2callback"


def auth_section() -> dict[str, object]:
    """[auth] of the secrets file; empty where there is none."""
    section: dict[str, object] = get_secrets_auth_section().to_dict()
    return section


def providers(section: Mapping[str, object]) -> tuple[str | None, ...]:
    """The names to sign in with; None is the one that [auth] itself describes."""
    named = tuple(name for name, value in section.items() if _describes(value))
    return (None, *named) if _describes(section) else named


def lacks(section: Mapping[str, object]) -> list[str]:
    """What keeps people from signing in, one Markdown sentence each; empty where nothing does."""
    found = []
    if not is_authlib_installed():
        found.append("The package Authlib is missing: `pip install -r requirements.txt`.")
    if not section:
        found.append("There is no `[auth]` section in `.streamlit/secrets.toml`.")
        return found
    redirect = urlsplit(str(section.get("redirect_uri", "")))
    if not (redirect.scheme in ("http", "https") and redirect.netloc and redirect.path == CALLBACK):
        found.append(f"`redirect_uri` must be this app's address followed by `{CALLBACK}`.")
    if len(str(section.get("cookie_secret", ""))) < LEAST_SECRET:
        found.append(f"`cookie_secret` must be a random text of {LEAST_SECRET} or more characters.")
    if not providers(section):
        names = ", ".join(f"`{name}`" for name in OF_A_PROVIDER)
        found.append(f"No identity provider is described: that takes {names}.")
    return found


def elsewhere(section: Mapping[str, object]) -> str:
    """The address to open instead, where signing in here could not work; "" where it can."""
    redirect, here = urlsplit(str(section.get("redirect_uri", ""))), urlsplit(st.context.url or "")
    same = (here.scheme, here.netloc.lower()) == (redirect.scheme, redirect.netloc.lower())
    return "" if same or not here.netloc else f"{redirect.scheme}://{redirect.netloc}"


def _describes(section: object) -> bool:
    return isinstance(section, Mapping) and all(section.get(name) for name in OF_A_PROVIDER)

"""What to say of a variable or a key that is no setting: the nearest that is one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from fanout.settings_table import BY_KEY, BY_NAME, FILE, SETTINGS

_OF_TESTS = re.compile(r"FANOUT_(?:CHROMIUM|NO_(?:POSTGRES|REDIS|NGINX)|BENCH_\w+)")
_OF_KUBERNETES = re.compile(r"FANOUT(?:_\w+)?_(?:SERVICE_(?:HOST|PORT\w*)|PORT(?:_\d+_\w+)?)")
"""Set in every container beside a service whose name begins with fanout."""


def unknown_names(names: Iterable[str]) -> tuple[str, ...]:
    """One sentence for each FANOUT_ variable that is no setting, with the nearest that is one."""
    known = {*BY_NAME, *(s.name + FILE for s in SETTINGS if s.secret)}
    found = sorted(
        name
        for name in names
        if name.startswith("FANOUT_")
        and name not in known
        and not (_OF_TESTS.fullmatch(name) or _OF_KUBERNETES.fullmatch(name))
    )
    return tuple(f"{name}: no such setting{_nearest(name, known)}" for name in found)


def unknown_key(key: str) -> str:
    """What to say of a key of the file that is none, with the nearest that is one."""
    if key.partition(".")[0] == "auth":
        return f"{key}: signing in is set up in .streamlit/secrets.toml, not here."
    # A key in the wrong section, or in none, is known by its own name.
    last = {known.rpartition(".")[2]: known for known in BY_KEY}
    own = get_close_matches(key.rpartition(".")[2], last, 1, 0.8)
    near = get_close_matches(key, BY_KEY, 1, 0.75)
    meant = near[0] if near else last[own[0]] if own else ""
    return f"{key}: no such setting" + (f"; did you mean {meant}?" if meant else ".")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), 1, 0.75)
    return f"; did you mean {near[0]}?" if near else "."

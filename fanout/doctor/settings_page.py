"""docs/settings.md: the table of settings as a page, and the example of a settings file."""

from __future__ import annotations

from fanout.settings_table import FILE, SETTINGS, Setting

_HEAD = f"""\
# Settings

Written by `python -m fanout doctor --settings > docs/settings.md`.

A setting is said in the environment, or under its key in a TOML file; the first of these that says
something counts:

1. the environment; a secret (marked *) also by a file that its variable with `{FILE}` behind it
   names, as Docker gives secrets: `OPENAI_API_KEY{FILE}=/run/secrets/openai_api_key`
2. `.streamlit/secrets.toml`, for the app, under the names of the variables
3. the settings file: what `FANOUT_CONFIG` names, or else `fanout.toml` in FANOUT_HOME

```toml
[endpoint]
base_url = "http://localhost:11434/v1"
model = "qwen3"

[limits]
max_runs = 20
```

All of it is read once, at the start, and checked then. What is wrong is told by its variable, or
by its key, file and line. A key of the file that is no setting is refused; a `FANOUT_` variable
that is none is told as a warning. A wrong setting of the endpoint leaves the whole endpoint out,
and the app comes up with the model on this machine; anything else that is wrong keeps it from
coming up, since a bound that can't be read must not mean "no bound".

App and workers don't come up without the PostgreSQL of `FANOUT_DATABASE_URL` either. Where it can't
be reached they try again for 30 seconds, say so in the log, and then end with an error, so that
what watches over them (systemd, Compose) starts them again. A single command such as
`python -m fanout run` goes on with its runs in memory, and says so.

A key in the file is sent to the address that stands beside it, or to OpenAI where none does: if the
environment names another `OPENAI_BASE_URL`, the file's `[endpoint]` is left out as a whole.
`python -m fanout doctor` looks at all of it and says what to do.
"""
_TITLES = {
    "": "The place itself",
    "endpoint": "Who answers",
    "database": "Where runs are kept",
    "redis": "Rates over several processes",
    "shared": "Several people",
    "budget": "What may be spent in a day",
    "limits": "Bounds",
    "batch": "Batches",
    "log": "Log",
    "metrics": "Metrics",
    "traces": "Traces",
}
_ROWS = """
| variable | key | holds | default | |
|---|---|---|---|---|
"""


def settings_page() -> str:
    """The whole page, with a line break at its end."""
    parts = [_HEAD]
    for section, title in _TITLES.items():
        rows = [s for s in SETTINGS if s.key.rpartition(".")[0] == section]
        parts.append(f"\n## {title}\n{_ROWS}{''.join(map(_row, rows))}")
    return "".join(parts)


def _row(setting: Setting) -> str:
    key = f"`{setting.key}`" if setting.key else "only in the environment"
    holds = " or ".join(f"`{each}`" for each in setting.choices) or str(setting.kind)
    meaning = setting.meaning + (" Where shared." if setting.shared_only else "")
    star = "*" if setting.secret else ""
    return f"| `{setting.name}`{star} | {key} | {holds} | {setting.default} | {meaning} |\n"

"""Every setting there is: its variable, its key in the file, what it may be, and what it is for.

Reading, refusing, docs/settings.md and `python -m fanout doctor` are all made from this one table,
so that none of them can know a setting that the others don't.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fanout.bounds import LOCAL, SHARED
from fanout.people import RUNS_PER_HOUR


class Kind(StrEnum):
    """What a setting holds, in the words that its reader is told."""

    FLAG = "true or false"
    WHOLE = "a whole number"
    PORT = "a port, or 0"
    MONEY = "US dollars"
    TEXT = "a text"
    FOLDER = "a folder"
    FILE = "a file"
    WEB = "a web address"
    KEY = "a key"
    DATABASE = "a PostgreSQL address"
    REDIS = "a Redis address"
    HOSTS = "a list of hosts"
    NAMES = "a list of names"
    CHOICE = "one of a few words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    name: str
    """The environment variable."""
    key: str
    """In the file, with its section: "limits.max_runs"; "" where only the environment has it."""
    kind: Kind
    meaning: str
    default: str = ""
    """As people read it."""
    shared_only: bool = False
    """Counts only where FANOUT_SHARED is on."""
    secret: bool = False
    """May also come as a file that NAME_FILE names, and is never shown."""
    least: int = 0
    choices: tuple[str, ...] = ()


def _cap(name: str, key: str, kind: Kind, meaning: str, *, person: bool = False) -> Setting:
    return Setting(
        name=name, key=key, kind=kind, meaning=meaning, default="no cap", shared_only=person
    )


def _bound(name: str, key: str, meaning: str, alone: int, shared: int) -> Setting:
    default = f"{alone:,}; {shared:,} where shared"
    return Setting(
        name=name,
        key=f"limits.{key}",
        kind=Kind.WHOLE,
        meaning=meaning,
        default=default,
        least=1,
    )


_MB = 1024 * 1024
SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="FANOUT_HOME",
        key="home",
        kind=Kind.FOLDER,
        meaning="Folder for everything that Fanout writes. Never from a file that lies in it.",
        default="`.fanout/` beside app.py",
    ),
    Setting(
        name="FANOUT_CONFIG",
        key="",
        kind=Kind.FILE,
        meaning="The settings file.",
        default="`fanout.toml` in FANOUT_HOME, if there is one",
    ),
    Setting(
        name="OPENAI_API_KEY",
        key="endpoint.api_key",
        kind=Kind.KEY,
        meaning="Key of the endpoint. Alone, it means OpenAI.",
        default="none",
        secret=True,
    ),
    Setting(
        name="OPENAI_BASE_URL",
        key="endpoint.base_url",
        kind=Kind.WEB,
        meaning="Address of the endpoint, usually ending in /v1.",
        default="OpenAI's where there is a key; else the model on this machine answers",
    ),
    Setting(
        name="FANOUT_MODEL",
        key="endpoint.model",
        kind=Kind.TEXT,
        meaning="Model there; without an endpoint a .gguf file or a Hub name to run here.",
        default="the endpoint's first model; without one the bundled model",
    ),
    Setting(
        name="FANOUT_EMBEDDING_MODEL",
        key="endpoint.embedding_model",
        kind=Kind.TEXT,
        meaning="Model there that turns texts into vectors.",
        default="none",
    ),
    Setting(
        name="FANOUT_CALLS_AT_ONCE",
        key="endpoint.calls_at_once",
        kind=Kind.WHOLE,
        meaning="Calls to the endpoint at the same time, over all runs of a process. To go as fast "
        "as a rate allows, a batch needs its calls per second times the seconds of one.",
        default="8",
        least=1,
    ),
    Setting(
        name="FANOUT_DATABASE_URL",
        key="database.url",
        kind=Kind.DATABASE,
        meaning="A PostgreSQL database for runs and batches, which several machines may share.",
        default="SQLite files in FANOUT_HOME",
        secret=True,
    ),
    Setting(
        name="FANOUT_REDIS_URL",
        key="redis.url",
        kind=Kind.REDIS,
        meaning="Where several processes count the rate of calls together.",
        default="the PostgreSQL database, if there is one; else each process alone",
        secret=True,
    ),
    Setting(
        name="FANOUT_SHARED",
        key="shared.on",
        kind=Kind.FLAG,
        meaning="Several people use this Fanout: they sign in, and are kept apart.",
        default="false",
    ),
    Setting(
        name="FANOUT_MEMBERS",
        key="shared.members",
        kind=Kind.NAMES,
        meaning="Addresses, @domains or subjects that are let in.",
        default="everybody who can sign in",
        shared_only=True,
    ),
    Setting(
        name="FANOUT_ADMINS",
        key="shared.admins",
        kind=Kind.NAMES,
        meaning="Addresses or subjects of those who see health and today's spending.",
        default="nobody",
        shared_only=True,
    ),
    Setting(
        name="FANOUT_ALLOWED_HOSTS",
        key="shared.allowed_hosts",
        kind=Kind.HOSTS,
        meaning="Hosts, or host:port, that people's endpoints may lie at besides public ones.",
        default="none",
        shared_only=True,
    ),
    Setting(
        name="FANOUT_PERSON_RUNS_PER_HOUR",
        key="shared.runs_per_hour",
        kind=Kind.WHOLE,
        meaning="How many runs each person may start in an hour.",
        default=str(RUNS_PER_HOUR),
        shared_only=True,
        least=1,
    ),
    Setting(
        name="FANOUT_PEOPLE_KEY",
        key="shared.people_key",
        kind=Kind.KEY,
        meaning="What tells people apart, as 64 hexadecimal digits; the same for all processes.",
        default="`people.key` in FANOUT_HOME, made at the first start",
        shared_only=True,
        secret=True,
    ),
    _cap("FANOUT_DAY_USD", "budget.day_usd", Kind.MONEY, "What all may spend in a day (UTC)."),
    _cap("FANOUT_DAY_TOKENS", "budget.day_tokens", Kind.WHOLE, "The same in tokens."),
    _cap(
        "FANOUT_PERSON_DAY_USD",
        "budget.person_day_usd",
        Kind.MONEY,
        "What each person may spend in a day (UTC).",
        person=True,
    ),
    _cap(
        "FANOUT_PERSON_DAY_TOKENS",
        "budget.person_day_tokens",
        Kind.WHOLE,
        "The same in tokens.",
        person=True,
    ),
    _bound(
        "FANOUT_MAX_TOPIC_CHARS",
        "max_topic_chars",
        "Characters of a topic.",
        LOCAL.topic_chars,
        SHARED.topic_chars,
    ),
    _bound(
        "FANOUT_MAX_BRANCHES",
        "max_branches",
        "Branches of one run.",
        LOCAL.branches,
        SHARED.branches,
    ),
    _bound(
        "FANOUT_MAX_UPLOAD_MB",
        "max_upload_mb",
        "Megabytes of one file.",
        LOCAL.upload_bytes // _MB,
        SHARED.upload_bytes // _MB,
    ),
    _bound(
        "FANOUT_MAX_DOCUMENTS",
        "max_documents",
        "Documents that a person keeps.",
        LOCAL.documents,
        SHARED.documents,
    ),
    _bound("FANOUT_MAX_RUNS", "max_runs", "Runs in flight, all.", LOCAL.runs, SHARED.runs),
    _bound(
        "FANOUT_MAX_RUNS_PER_PERSON",
        "max_runs_per_person",
        "Runs in flight, one person's.",
        LOCAL.runs_per_person,
        SHARED.runs_per_person,
    ),
    _bound(
        "FANOUT_MAX_BATCH_ROWS",
        "max_batch_rows",
        "Rows of one batch.",
        LOCAL.batch_rows,
        SHARED.batch_rows,
    ),
    Setting(
        name="FANOUT_APP_WORKS",
        key="batch.app_works",
        kind=Kind.FLAG,
        meaning="The app's own process takes rows of batches; false leaves them to workers.",
        default="true",
    ),
    Setting(
        name="FANOUT_LOG",
        key="log.form",
        kind=Kind.CHOICE,
        meaning="How lines of the log are written.",
        default="text",
        choices=("text", "json"),
    ),
    Setting(
        name="FANOUT_LOG_LEVEL",
        key="log.level",
        kind=Kind.CHOICE,
        meaning="The least important lines that are written.",
        default="warning",
        choices=("debug", "info", "warning", "error"),
    ),
    Setting(
        name="FANOUT_METRICS",
        key="metrics.port",
        kind=Kind.PORT,
        meaning="Port for Prometheus on this machine; 0 serves no metrics.",
        default="0",
    ),
    Setting(
        name="FANOUT_TRACES",
        key="traces.endpoint",
        kind=Kind.WEB,
        meaning="Where traces are sent (OTLP over HTTP).",
        default="nowhere",
    ),
)
BY_NAME: Mapping[str, Setting] = MappingProxyType({s.name: s for s in SETTINGS})
BY_KEY: Mapping[str, Setting] = MappingProxyType({s.key: s for s in SETTINGS if s.key})
FILE = "_FILE"
"""Behind the name of a secret: the variable that names a file holding it."""

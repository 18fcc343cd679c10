"""The backup that docs/deploy.md writes down: made of a home in use, brought back, looked at."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanout.engine.own import OwnRuntime
from fanout.engine.runtime import Runtime
from fanout.people import Person, people_key, person_id
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.settings import ENVIRONMENT, Settings
from fanout.types import ModelRef, RunStatus
from fanout.workflows.library import user_workflows
from fanout.workflows.parsing import parse

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
SECTION = PAGE[PAGE.index("## Backup") : PAGE.index("## Several processes")]
BACKUP, RESTORE = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)[:2]
NEEDED = ("sqlite3", "tar", "find")
ELSEWHERE = re.compile(r"^(systemctl|runuser|chown)\b")
"""Services, the database and the user, which this machine needn't have."""
PEOPLE = ("ada", "bob")
MODEL = ModelRef(endpoint=ENVIRONMENT, model="scripted")
PAIR = parse(
    {
        "title": "Pair",
        "branches": [
            {"id": "one", "title": "One", "prompt": "{topic}"},
            {"id": "two", "title": "Two", "prompt": "More: {topic}"},
        ],
    },
    name="pair",
)

pytestmark = pytest.mark.skipif(
    os.name != "posix" or not all(map(shutil.which, NEEDED)), reason="needs sqlite3, tar and find"
)


@pytest.fixture
def endpoint() -> Iterator[str]:
    with serving(Script(otherwise=Reply(text="Said at once."))) as server:
        yield server.base_url


def opened(home: Path, endpoint: str) -> Runtime:
    return Runtime(Settings(home=home, base_url=endpoint, model="scripted", shared=True))


def view(whole: Runtime, name: str) -> OwnRuntime:
    """As that person has it, who is told apart by people.key."""
    assert whole.visitors is not None
    person = person_id(people_key(whole.settings.home), "https://id.example.com", name)
    return whole.visitors.of(Person(id=person, name=name))


def lived_in(whole: Runtime, name: str) -> str:
    """What a person leaves behind: a document, a workflow and a run; the id of the run."""
    own = view(whole, name)
    own.library.add(f"{name}.md", f"Notes of {name}".encode())
    user_workflows(own.settings.home).add(PAIR.model_copy(update={"name": f"pair-of-{name}"}))
    handle = own.engine.start(PAIR, f"rain over {name}", MODEL)
    assert handle.wait(30).status is RunStatus.SUCCEEDED
    return handle.id


def carried_out(lines: str, home: Path, backups: Path) -> None:
    kept = [line for line in lines.splitlines() if not ELSEWHERE.match(line)]
    script = "\n".join(kept).replace("/var/lib/fanout", str(home))
    script = script.replace("/var/backups/fanout", str(backups))
    for day in backups.iterdir() if backups.exists() else ():
        script = script.replace("DAY", day.name)
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_people_own_comes_back_from_a_backup_of_a_home_in_use(
    tmp_path: Path, endpoint: str
) -> None:
    home, backups = tmp_path / "home", tmp_path / "backups"
    with opened(home, endpoint) as whole:
        runs = {name: lived_in(whole, name) for name in PEOPLE}
        # Not closed: the newest pages lie beside the files of SQLite, and not yet in them.
        assert list(home.rglob("people/*/library.db-wal"))
        carried_out(BACKUP, home, backups)
    (day,) = backups.iterdir()
    assert day.stat().st_mode & 0o777 == 0o700
    assert {"processes", "models", "logs"}.isdisjoint(
        path.name for path in (day / "home").iterdir()
    )
    assert not list((day / "home").rglob("*.db-*")), "of another moment than their file"

    carried_out(RESTORE, home, backups)
    assert home.with_name("home.old").is_dir()
    with opened(home, endpoint) as whole:
        for name, run in runs.items():
            own = view(whole, name)
            assert f"{name}.md" in {each.name for each in own.library.documents()}
            (kept,) = user_workflows(own.settings.home).all()
            assert kept.name == f"pair-of-{name}"
            assert {each for each in runs.values() if own.store.load(each)} == {run}

"""Texts of a run on the command line: nothing that a terminal would obey is written."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from fanout.cli.main import main
from fanout.cli.printable import Printable, printable
from fanout.cli.progress import Progress, print_results
from fanout.store.store import Store
from tests.attacks.corpus import attacks, planted
from tests.export.stored_runs import shipped_runs
from tests.store.samples import update

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
OUR_OWN = re.compile(r"\x1b\[\d+A|\x1b\[2K")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Finished:
    """A run that is over, as `Progress` watches it."""

    def __init__(self, run) -> None:
        self.snapshot = run.snapshot
        self._events = run.events

    def now_s(self) -> float:
        return 1.0

    def follow(self):
        return iter(self._events)


def test_every_sign_that_a_terminal_obeys_is_spelt_out() -> None:
    for one in attacks():
        assert not OBEYED.search(printable(one.text))
        said = json.dumps(one.text, ensure_ascii=False)
        assert json.loads(printable(said)) == one.text, "as JSON it is the same"
    fine = "a\tb\nc é 日本 \U0001f468\u200d\U0001f469"
    assert printable(fine) == fine


@pytest.mark.parametrize("name", ["creative-trio", "moderation", "research"])
@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_a_run_of_attacks_moves_no_cursor(name: str, kind: type[io.StringIO]) -> None:
    (run,) = planted((name,))
    out = kind()
    shown = Printable(out)
    Progress(Finished(run), "who\x1b[31m", shown).show()  # type: ignore[arg-type]
    print_results(run.snapshot, shown)  # type: ignore[arg-type]
    said = out.getvalue()
    assert len(said) > 500
    assert not OBEYED.search(OUR_OWN.sub("", said))


def test_no_command_lets_one_through(fanout_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(fanout_home) as store:
        for run in planted(("creative-trio",)):
            store.write([update(run.events)], imported=True)
            store.history.label(run.id, run.label)
    for command in (
        ["show", "planted-creative-trio"],
        ["show", "planted-creative-trio", "--json"],
        ["show", "planted-creative-trio", "--events"],
        ["history"],
        ["history", "--json"],
        ["replay", "planted-creative-trio", "--speed", "0"],
        ["show", "no\x1b[31msuch"],
        ["workflows"],
    ):
        main(command)
        said = capsys.readouterr()
        assert not OBEYED.search(said.out + said.err), command
        assert said.out or said.err


def test_the_corpus_has_codes_to_find() -> None:
    assert sum(bool(OBEYED.search(one.text)) for one in attacks()) > 20
    assert shipped_runs()

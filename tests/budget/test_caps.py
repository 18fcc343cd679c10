"""The day's caps are kept, are the same for every process, and never forgotten in silence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fanout.budget.caps import Caps, DayCaps
from fanout.errors import SettingsError
from fanout.policies import Budget

ONE = DayCaps(everyone=Budget(usd=Decimal("1.10"), tokens=5), person=Budget(tokens=2))


def test_what_was_set_is_kept_and_seen_by_others_at_once(tmp_path: Path) -> None:
    here, there = Caps(tmp_path / "budget.json"), Caps(tmp_path / "budget.json")
    assert here.now() == there.now() == DayCaps()
    here.change(ONE)
    assert there.now() == ONE
    there.change(DayCaps())
    assert here.now() == DayCaps()


def test_the_environment_wins_field_by_field(tmp_path: Path) -> None:
    fixed = DayCaps(everyone=Budget(usd=Decimal(2)))
    caps = Caps(tmp_path / "budget.json", fixed=fixed)
    caps.change(ONE)
    assert caps.now().everyone == Budget(usd=Decimal(2), tokens=5)
    assert caps.now().person == Budget(tokens=2)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"everyone": {"usd": "NaN", "tokens": null}, "person": {}}', "\xff"]
)
def test_a_file_that_makes_no_sense_is_no_licence_to_spend(tmp_path: Path, text: str) -> None:
    (tmp_path / "budget.json").write_text(text, "latin-1")
    caps = Caps(tmp_path / "budget.json")
    with pytest.raises(SettingsError, match="can't be read, so nobody knows what may be spent"):
        caps.now()
    caps.change(ONE)
    assert caps.now() == ONE


def test_what_can_not_be_kept_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    caps = Caps(tmp_path / "file" / "budget.json")
    with pytest.raises(SettingsError, match="The old one still counts"):
        caps.change(ONE)
    assert caps.now() == DayCaps()

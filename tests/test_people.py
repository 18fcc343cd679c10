"""A person is a number that is the same each time and tells nothing; who is let in is listed."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError
from fanout.people import KEY_FILE, Membership, people_key, person_id
from fanout.settings import Settings

KEY = b"k" * 32
ADA = {"iss": "https://id", "sub": "1", "email": "Ada@Example.com", "email_verified": True}


def test_an_account_is_one_number_and_no_two_accounts_share_one() -> None:
    one = person_id(KEY, "https://id", "1")
    assert one == person_id(KEY, "https://id", "1")
    others = {
        person_id(KEY, "https://id", "2"),
        person_id(KEY, "https://id|1", ""),
        person_id(KEY, "https://i", "d1"),
        person_id(b"x" * 32, "https://id", "1"),
    }
    assert one not in others and len(others) == 4
    assert len(one) == 32 and one.isalnum()


def test_who_is_listed_is_let_in_by_verified_address_domain_or_subject() -> None:
    for listed in ("ada@example.com", "@EXAMPLE.com", "bob@x.org, 1", "x @example.com"):
        members = Membership.from_environment({"FANOUT_MEMBERS": listed})
        assert members.person(KEY, ADA) is not None, listed
        assert members.person(KEY, ADA | {"sub": "2", "email_verified": False}) is None
        assert members.person(KEY, ADA | {"sub": "2", "email": "ada@example.com.evil"}) is None
    assert Membership().person(KEY, ADA) is not None, "nobody is listed, so all are let in"


def test_an_admin_is_a_member_and_nobody_is_one_by_default() -> None:
    found = Membership.from_environment(
        {"FANOUT_MEMBERS": "@other.org", "FANOUT_ADMINS": "ada@example.com"}
    )
    person = found.person(KEY, ADA)
    assert person is not None and person.admin
    plain = Membership().person(KEY, ADA)
    assert plain is not None and not plain.admin


@pytest.mark.parametrize("lost", ["iss", "sub"])
def test_claims_that_name_nobody_let_nobody_in(lost: str) -> None:
    assert Membership().person(KEY, {**ADA, lost: ""}) is None
    assert Membership().person(KEY, {**ADA, lost: None}) is None


@pytest.mark.parametrize("said", ["0", "-1", "many", "1e3", "9999999999"])
def test_a_rate_that_is_none_is_refused_by_its_name(said: str) -> None:
    with pytest.raises(SettingsError, match="FANOUT_PERSON_RUNS_PER_HOUR"):
        Membership.from_environment({"FANOUT_PERSON_RUNS_PER_HOUR": said})


def test_the_key_is_made_once_for_its_owners_eyes(fanout_home: Path) -> None:
    key = people_key(fanout_home)
    assert people_key(fanout_home) == key and len(key) == 32
    assert stat.S_IMODE((fanout_home / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in fanout_home.iterdir()] == [KEY_FILE]


def test_a_key_that_is_given_is_taken_and_none_is_made(fanout_home: Path) -> None:
    assert people_key(fanout_home, "0A" * 32) == b"\n" * 32
    secret = {"FANOUT_SHARED": "1", "FANOUT_PEOPLE_KEY": "0A" * 32}
    with Runtime(Settings.from_environment(secret | {"FANOUT_HOME": str(fanout_home)})) as runtime:
        visitors = runtime.visitors
        assert visitors is not None
        signed_in = {"iss": "https://id", "sub": "7", "iat": time.time()}
        person = visitors.person(signed_in)
    assert person is not None and person.id == person_id(b"\n" * 32, "https://id", "7")
    assert not (fanout_home / KEY_FILE).exists()


def test_a_damaged_key_is_said_and_not_replaced(fanout_home: Path) -> None:
    fanout_home.mkdir()
    (fanout_home / KEY_FILE).write_bytes(b"half")
    with pytest.raises(SettingsError, match="backup"):
        people_key(fanout_home)
    assert (fanout_home / KEY_FILE).read_bytes() == b"half"

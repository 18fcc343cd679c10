"""The lock that says that a process lives, while its database is away."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy.engine import make_url

from fanout.store.database import postgresql_engine
from fanout.store.presence import Presence
from tests.rig import free_port


def test_a_server_that_is_away_is_a_matter_of_the_next_beat(
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = make_url(f"postgresql+psycopg://u:p4ssw0rd@127.0.0.1:{free_port()}/f")
    presence = Presence(postgresql_engine(url), "0" * 32)
    with caplog.at_level(logging.INFO):
        presence.hold()
    presence.close()
    assert caplog.messages == ["this process' lock is not held yet: OperationalError"]

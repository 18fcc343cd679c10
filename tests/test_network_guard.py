"""The guard in conftest keeps tests on this machine, and says so even where errors are caught."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from tests.conftest import NetworkRefused, is_loopback


def test_a_name_of_the_outside_is_not_looked_up(network_refused: list[str]) -> None:
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo("example.com", 443)
    assert network_refused == ["example.com"]
    network_refused.clear()


def test_an_address_of_the_outside_is_not_connected_to(network_refused: list[str]) -> None:
    with socket.socket() as plain, pytest.raises(NetworkRefused):
        plain.connect(("192.0.2.1", 80))
    network_refused.clear()


def test_code_that_catches_everything_is_still_noticed(network_refused: list[str]) -> None:
    with suppress(Exception):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    assert network_refused == ["192.0.2.1"]
    network_refused.clear()


def test_loopback_goes_through() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "0.0.0.0", ""])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "192.168.1.2", "example.com", "localhost.example.com"]
)
def test_any_other_machine_is_not(host: str) -> None:
    assert not is_loopback(host)

"""What holds for every test: loopback only, a FANOUT_HOME of its own, a bare environment."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

KEPT = {"FANOUT_CHROMIUM", "FANOUT_NO_POSTGRES", "FANOUT_NO_REDIS", "FANOUT_NO_NGINX"}
OUTSIDE = ("OPENAI_", "FANOUT_", "HF_", "HUGGING", "STREAMLIT_")
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}

refused: list[str] = []
"""Hosts that this test tried to reach; a test that means to clears it."""


class NetworkRefused(RuntimeError):
    """A test reached for a host that is not this machine."""


def pytest_configure() -> None:
    # Before any fixture: a server that lives as long as the session starts before those of a test.
    for name in list(os.environ):
        if name not in KEPT and (name.startswith(OUTSIDE) or name.upper() in PROXIES):
            del os.environ[name]
    home = tempfile.mkdtemp(prefix="fanout-tests-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["FANOUT_HOME"] = home
    sys.addaudithook(_guard)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that take a browser and run their files last."""
    taking = {item.path for item in items if "browser" in getattr(item, "fixturenames", ())}
    for item in items:
        if item.path in taking:
            item.add_marker("browser")
    # Playwright keeps an event loop running on the main thread, where async tests need their own.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and not is_loopback(name):
        refused.append(name)
        raise NetworkRefused(f"tests speak to this machine only, not to {name}")


def is_loopback(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    # 0.0.0.0 and :: are where a server listens, and no way out of this machine.
    return address.is_loopback or address.is_unspecified


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def fanout_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty FANOUT_HOME for this test alone."""
    home = tmp_path / "fanout-home"
    monkeypatch.setenv("FANOUT_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def network_refused() -> Iterator[list[str]]:
    """The hosts this test was kept from; any left fail it, even where the error was caught."""
    refused.clear()
    yield refused
    assert not refused, f"this test tried to reach {', '.join(refused)}"

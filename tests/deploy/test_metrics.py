"""metrics.yaml: what an app serves to its own container only is handed on to who asks."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import yaml  # type: ignore[import-untyped]

from fanout.telemetry.metrics import Metrics, Sources
from tests.rig import free_port

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
    return found


def test_something_stands_in_the_network_of_each_app_and_of_the_worker() -> None:
    services = read("metrics.yaml")["services"]
    beside = [one["network_mode"].removeprefix("service:") for one in services.values()]
    assert sorted(beside) == ["app1", "app2", "worker"]
    known = read("compose.yaml")["services"]
    assert set(beside) <= set(known) and set(services).isdisjoint(known)
    assert {one["image"] for one in services.values()} == {known["proxy"]["image"]}


@contextmanager
def handing_on(folder: Path, source: int, port: int) -> Iterator[None]:
    """nginx with the configuration of that file, on ports that are free here."""
    text = read("metrics.yaml")["configs"]["handing_on"]["content"]
    text = re.sub(r"\$\{FANOUT_METRICS:-9464\}", str(source), text)
    text = text.replace("listen 9465;", f"listen 127.0.0.1:{port};").replace("/tmp", str(folder))
    (folder / "nginx.conf").write_text(text)
    command = [str(NGINX), "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
    server = subprocess.Popen(command)
    try:
        yield
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
async def test_nginx_hands_on_the_metrics_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client")
    metrics, port = Metrics((), Sources(runs=list, endpoints=list, rows=dict)), free_port()
    try:
        with handing_on(tmp_path, metrics.serve(0), port):
            answer = await answered(f"http://127.0.0.1:{port}/metrics")
            assert answer.status_code == 200 and "fanout_runs_total" in answer.text
            assert (await answered(f"http://127.0.0.1:{port}/")).status_code == 404
    finally:
        metrics.close()


async def answered(url: str) -> httpx2.Response:
    """As soon as somebody listens there."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        with anyio.fail_after(20):
            while True:
                try:
                    return await client.get(url)
                except httpx2.ConnectError:
                    await anyio.sleep(0.05)

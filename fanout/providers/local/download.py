"""Bring a model from the Hub: resumable, checked against its published size and SHA-256.

Bytes go to a `.part` file beside the goal, named for the exact content it will hold; a later call
continues there. Only a complete and verified file gets the final name, so a file with that name can
be trusted without the network. Cancelling keeps the part.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urljoin

import anyio
import httpx2
from anyio import to_thread

from fanout.errors import LocalModelError
from fanout.providers.local.hub import INSTEAD, REDIRECTS, Hub, HubFile, hub_file, preferred, refuse
from fanout.providers.local.weights import HubName, sha256

SPARE_BYTES: Final = 256 << 20
"""Room that stays free for the records of runs."""
PIECE_BYTES: Final = 256 << 10
TRIES: Final = 5
PAUSE_S: Final = 2.0
TIMEOUTS: Final = httpx2.Timeout(30.0, connect=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    done: int
    """Bytes on this machine, those of earlier tries included."""
    total: int | None
    bytes_per_s: float


Report = Callable[[Progress], None]


class _Interrupted(Exception):
    """The connection broke in mid-download; what came is kept."""


def downloaded(name: HubName, home: Path) -> Path | None:
    """The file of an earlier download; None where there is none yet."""
    folder = _folder(name, home)
    if name.file is not None:
        return path if (path := folder / name.file).is_file() else None
    paths = [str(path.relative_to(folder)) for path in folder.rglob("*.gguf")]
    return folder / preferred(paths) if paths else None


async def download(
    name: HubName,
    home: Path,
    report: Report,
    *,
    hub: Hub | None = None,
    pause_s: float = PAUSE_S,
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
) -> Path:
    """The model's file, from an earlier download or from the Hub now.

    `report` is called after every piece. Raises LocalModelError with a sentence for the screen when
    the Hub can't be reached, has no such file, refuses, or sends other bytes than it published, and
    when the disk is too small. Cancellation keeps what has come.
    """
    if (present := downloaded(name, home)) is not None:
        return present
    hub = hub or Hub.from_environment()
    if not hub.trusts(hub.base_url):
        raise LocalModelError("HF_ENDPOINT must be an https address. Correct it, or unset it.")
    async with httpx2.AsyncClient(timeout=TIMEOUTS, follow_redirects=False) as client:
        file = await hub_file(client, hub, name)
        goal = _folder(name, home) / file.path
        part = goal.with_name(f"{goal.name}.{(file.sha256 or file.revision)[:16]}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            _require_room(file, part, free_bytes)
            await _fetch_persistently(client, hub, file, part, report, pause_s)
            await _check(file, part)
            part.replace(goal)
        except OSError as error:
            raise _disk_error(error, file) from None
    return goal


def _folder(name: HubName, home: Path) -> Path:
    return home / "models" / name.repo


async def _fetch_persistently(
    client: httpx2.AsyncClient, hub: Hub, file: HubFile, part: Path, report: Report, pause_s: float
) -> None:
    tries = 0
    while True:
        before = _size(part)
        try:
            await _fetch(client, hub, file, part, report)
            return
        except _Interrupted:
            # A try that brought something starts the count again: slow lines break often.
            tries = 1 if _size(part) > before else tries + 1
            if tries >= TRIES:
                raise _stopped(hub, file, part) from None
            await anyio.sleep(pause_s)


async def _fetch(
    client: httpx2.AsyncClient, hub: Hub, file: HubFile, part: Path, report: Report
) -> None:
    """One request for what is still missing."""
    have = _size(part)
    if have == file.size:
        return
    url = file.url(hub)
    try:
        for _ in range(REDIRECTS):
            if not hub.trusts(url):
                break
            headers = hub.headers_for(url) | ({"Range": f"bytes={have}-"} if have else {})
            # Content-Encoding would make lengths and ranges lie.
            headers["Accept-Encoding"] = "identity"
            async with client.stream("GET", url, headers=headers) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers["location"])
                    continue
                if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    _discard(part)
                    raise _Interrupted
                if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise _Interrupted
                refuse(response, HubName(repo=file.repo, file=file.path), hub)
                await _save(response, file, part, report)
                return
    except httpx2.TransportError:
        raise _Interrupted from None
    raise LocalModelError(f"{hub.host} redirects to an address that can't be trusted. {INSTEAD}")


async def _save(response: httpx2.Response, file: HubFile, part: Path, report: Report) -> None:
    continues = response.status_code == HTTPStatus.PARTIAL_CONTENT
    done = _size(part) if continues else 0
    total = file.size
    if total is None and (length := response.headers.get("content-length", "")).isdigit():
        total = done + int(length)
    began, at_first = anyio.current_time(), done
    with part.open("ab" if continues else "wb") as out:
        async for piece in response.aiter_bytes(PIECE_BYTES):
            done += await to_thread.run_sync(_write, out, piece)
            elapsed = max(anyio.current_time() - began, 0.001)
            report(Progress(done=done, total=total, bytes_per_s=(done - at_first) / elapsed))
            if total is not None and done > total:
                break
    if total is not None and done < total:
        raise _Interrupted


def _write(out: BinaryIO, piece: bytes) -> int:
    return out.write(piece)


async def _check(file: HubFile, part: Path) -> None:
    right = file.size is None or _size(part) == file.size
    if right and file.sha256 is not None:
        right = await to_thread.run_sync(sha256, part) == file.sha256
    if right:
        return
    _discard(part)
    raise LocalModelError(
        f"{file.path} arrived damaged: its checksum is not the published one. "
        "It was deleted; try again."
    )


def _require_room(file: HubFile, part: Path, free_bytes: Callable[[Path], int]) -> None:
    if file.size is None:
        return
    needed, free = file.size - _size(part) + SPARE_BYTES, free_bytes(part.parent)
    if needed > free:
        raise LocalModelError(
            f"{file.path} needs {_mb(needed)} MB of disk, and {_mb(free)} MB are free where Fanout "
            "keeps its data. Free some space, choose a smaller file, or set FANOUT_HOME to a "
            "larger disk."
        )


def _disk_error(error: OSError, file: HubFile) -> LocalModelError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LocalModelError(
            f"The disk is full: {file.path} could not be saved. Free some space and try again; "
            "what has come is kept."
        )
    return LocalModelError(
        f"{file.path} can't be saved where Fanout keeps its data: {error.strerror}. "
        "Check FANOUT_HOME."
    )


def _stopped(hub: Hub, file: HubFile, part: Path) -> LocalModelError:
    have = _size(part)
    if not have:
        return hub.unreachable
    of = f" of {_mb(file.size)}" if file.size else ""
    return LocalModelError(
        f"The download of {file.path} broke off after {_mb(have)}{of} MB. "
        "Try again: it continues there."
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f}"

"""One endpoint's Batch API, asked through the openai package; every failure a ProviderError.

Raw responses are asked for, not the package's own objects: those don't fit every server, and its
way to raw ones hangs on a header that never leaves this process.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import cast
from urllib.parse import quote

import anyio
import httpx2
import jiter
import openai

from fanout.errors import ProviderError
from fanout.providers.batch_api import words
from fanout.providers.batch_api.answers import PATH, Line, lines_of
from fanout.providers.batch_api.remote import MARK, RemoteJob, remote_job
from fanout.providers.batch_api.wording import KNOWN, Wording
from fanout.providers.dialect import Dialects
from fanout.providers.failures import failure_of
from fanout.providers.problems import Asked, Unreadable, WebPage
from fanout.providers.sdk_errors import EXPECTED, failed

ASK_S = 30.0
UPLOAD_S = 900.0
"""A file of most bytes over a slow line."""
IDLE_S = 60.0
"""Longest silence in the middle of a download."""
_CLOSE_S = 1.0
_PAGE = 100
_PAGES = 20
_CLOCKS_S = 3600.0
"""How far the provider's clock may be off."""
_FILE = re.compile(
    r"(?:cannot|can't|could not) find (?:the )?file|no such file|file.{0,80}not found", re.I
)
_NONE = frozenset({400, 404, 405, 410, 421, 422, 501})
_NO_ANSWER = frozenset({408, 409})
"""Refusals that say nothing of whether what was asked for is done."""


class NotMade(ProviderError):
    """The provider has answered that it makes no such batch."""


class FileMissing(ProviderError):
    """The provider knows no such file; some say so of one that they have just taken."""


class BatchApi(Wording):
    """Used on the engine's loop only. Its client belongs to the provider, which closes it."""

    def __init__(
        self, connect: Callable[[Asked], openai.AsyncOpenAI], asked: Asked, dialects: Dialects
    ) -> None:
        super().__init__(asked, dialects)
        self._connect = connect

    async def offered(self) -> bool:
        """Whether there is one; asks where that isn't known. ProviderError if nobody can say."""
        if self._asked.host in KNOWN:
            return True
        try:
            page = await self._page("/batches", {"limit": 1})
        except ProviderError as error:
            if _said(error) in _NONE or isinstance(error.__cause__, ValueError):
                return False
            raise
        return isinstance(page.get("data"), list)

    async def upload(self, name: str, data: bytes) -> str:
        """The id of a file of requests."""
        try:
            with self._within(UPLOAD_S):
                made = await self._connect(self._asked).post(
                    "/files",
                    cast_to=httpx2.Response,
                    body={"purpose": "batch"},
                    files=[("file", (name, data, "application/jsonl"))],
                    options={"headers": {"Content-Type": "multipart/form-data"}},
                )
        except ProviderError as error:
            if _said(error) in (404, 405, 501):
                raise ProviderError(words.not_offered(self.name)) from error
            raise
        return self._id(made)

    async def strays(self, name: str) -> list[str]:
        """Files of that name: of a job whose process ended before it heard what its file is. None
        where the endpoint doesn't list its files: one that is left there is no harm."""
        try:
            page = await self._page("/files", {"purpose": "batch", "limit": 1000})
        except ProviderError as error:
            if error.failure.retryable:
                raise
            return []
        entries = page.get("data")
        files = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        return [str(each["id"]) for each in files if each.get("filename") == name]

    async def discard(self, file: str) -> None:
        """Delete a file there; it is no harm where that fails."""
        try:
            with self._within(ASK_S):
                await self._connect(self._asked).delete(
                    f"/files/{quote(file)}", cast_to=httpx2.Response
                )
        except ProviderError:
            return

    async def create(self, file: str, mark: str) -> RemoteJob:
        """Begin a batch. It may exist even where this fails, which `find` can tell, but for
        NotMade and FileMissing."""
        try:
            with self._within(ASK_S):
                made = await self._connect(self._asked).post(
                    "/batches",
                    cast_to=httpx2.Response,
                    body={
                        "input_file_id": file,
                        "endpoint": PATH,
                        "completion_window": "24h",
                        "metadata": {MARK: mark},
                    },
                )
        except ProviderError as error:
            if _said(error) in (400, 404) and _FILE.search(str(error.__cause__)):
                raise FileMissing(error.failure) from error
            if 300 <= _said(error) < 500 and _said(error) not in _NO_ANSWER:
                raise NotMade(error.failure, error.rates) from error
            raise
        return self._job(made)

    async def find(self, mark: str, file: str, since: float) -> RemoteJob | None:
        """The batch that was made for a job of ours since that Unix time, if there is one."""
        after = ""
        for _ in range(_PAGES):
            asked: dict[str, object] = {"limit": _PAGE}
            page = await self._page("/batches", asked | ({"after": after} if after else {}))
            entries = page.get("data")
            found = [remote_job(each) for each in entries] if isinstance(entries, list) else []
            known = [job for job in found if job is not None]
            for job in known:
                if job.mark == mark or (file and job.input_file == file):
                    return job
            old = known and 0 < known[-1].created_at < since - _CLOCKS_S
            if not known or old or not page.get("has_more") or known[-1].id == after:
                return None
            after = known[-1].id
        return None

    async def look(self, remote: str) -> RemoteJob | None:
        """How it stands; None where the provider does not know it."""
        try:
            with self._within(ASK_S):
                seen = await self._connect(self._asked).get(
                    f"/batches/{quote(remote)}", cast_to=httpx2.Response
                )
        except ProviderError as error:
            if _said(error) == 404:
                return None
            raise
        return self._job(seen)

    async def cancel(self, remote: str) -> None:
        """Call it off; what it did until then can be fetched. None too late is a failure."""
        try:
            with self._within(ASK_S):
                await self._connect(self._asked).post(
                    f"/batches/{quote(remote)}/cancel", cast_to=httpx2.Response
                )
        except ProviderError as error:
            if not 400 <= _said(error) < 429 or _said(error) in (401, 403):
                raise

    @asynccontextmanager
    async def lines(self, file: str) -> AsyncGenerator[AsyncGenerator[Line]]:
        """The lines of an output or error file, as they come. FileMissing where it is not there."""
        try:
            with anyio.fail_after(IDLE_S):
                opened = await self._connect(self._asked).get(
                    f"/files/{quote(file)}/content",
                    cast_to=httpx2.Response,
                    stream=True,
                    stream_cls=openai.AsyncStream[object],
                )
            # What it is, whatever the package's types say of streams.
            response = cast("httpx2.Response", opened)
            try:
                if "html" in response.headers.get("content-type", ""):
                    raise ProviderError(failure_of(WebPage(), self._asked))
                async with aclosing(self._read(response)) as lines:
                    yield lines
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
                    await response.aclose()
        except TimeoutError as problem:
            late = httpx2.ReadTimeout("a file of answers")
            raise ProviderError(failure_of(late, self._asked)) from problem
        except EXPECTED as problem:
            if isinstance(problem, openai.NotFoundError):
                raise FileMissing(words.no_file(self.name)) from problem
            raise failed(problem, self._asked) from problem

    async def _read(self, response: httpx2.Response) -> AsyncGenerator[Line]:
        async def parts() -> AsyncGenerator[bytes]:
            data = response.aiter_bytes()
            while True:
                with anyio.fail_after(IDLE_S):
                    part = await anext(data, None)
                if part is None:
                    return
                yield part

        async for line in lines_of(parts()):
            yield replace(line, answer=self.clean(line.answer))

    async def _page(self, path: str, query: dict[str, object]) -> dict[str, object]:
        with self._within(ASK_S):
            response = await self._connect(self._asked).get(
                path, cast_to=httpx2.Response, options={"params": query}
            )
        return self._fields(response)

    def _id(self, response: httpx2.Response) -> str:
        made = self._fields(response).get("id")
        if not isinstance(made, str):
            raise ProviderError(failure_of(Unreadable(what="no id of a file"), self._asked))
        return made

    def _job(self, response: httpx2.Response) -> RemoteJob:
        job = remote_job(self._fields(response))
        if job is None:
            raise ProviderError(failure_of(Unreadable(what="no batch"), self._asked))
        return job

    def _fields(self, response: httpx2.Response) -> dict[str, object]:
        try:
            value: object = jiter.from_json(response.content)
        except ValueError as problem:
            page = response.content.lstrip().startswith(b"<")
            what = WebPage() if page else Unreadable(what="no JSON", again=True)
            raise ProviderError(failure_of(what, self._asked)) from problem
        if not isinstance(value, dict):
            raise ProviderError(failure_of(Unreadable(what="no JSON object"), self._asked))
        return cast("dict[str, object]", value)

    @contextmanager
    def _within(self, limit_s: float) -> Iterator[None]:
        try:
            with anyio.fail_after(limit_s):
                yield
        except TimeoutError as problem:
            late = httpx2.ReadTimeout("batches")
            raise ProviderError(failure_of(late, self._asked)) from problem
        except EXPECTED as problem:
            raise failed(problem, self._asked) from problem


def _said(error: ProviderError) -> int:
    """The status that the endpoint answered with; 0 where it was no answer."""
    cause = error.__cause__
    return cause.status_code if isinstance(cause, openai.APIStatusError) else 0

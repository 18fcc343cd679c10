"""OpenAI's Files and Batch API over a script: files, jobs and what goes wrong with them.

Source: OpenAI API reference, "Files" and "Batch". A test sets what the next jobs do, may hold a
request at a named point for as long as it likes, and reads which requests were answered, which is
what would be paid for.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from itertools import count

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fanout.providers.batch_script import BatchLedger, JobScript, wrong_in
from fanout.providers.script_wire import Rejected
from fanout.providers.scripted_replies import Replies, error_response

EXPIRED = "This request could not be executed before the completion window expired."


class _Job:
    def __init__(
        self,
        id: str,
        script: JobScript,
        fields: dict[str, object],
        lines: list[dict[str, object]],
    ) -> None:
        self.id = id
        self.script = script
        self.fields = fields
        self.lines = lines
        self.began_s = time.monotonic()
        self.called_off_s: float | None = None
        self.ended = False


class Batches:
    """The routes; one of each server, used on its loop."""

    def __init__(self, replies: Replies, ledger: BatchLedger) -> None:
        self._replies = replies
        self._ledger = ledger
        self._jobs: dict[str, _Job] = {}
        self._numbers = count(1)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/files", self.files, methods=["GET", "POST"]),
            Route("/v1/files/{id}", self.file, methods=["GET", "DELETE"]),
            Route("/v1/files/{id}/content", self.content),
            Route("/v1/batches", self.batches, methods=["GET", "POST"]),
            Route("/v1/batches/{id}", self.batch),
            Route("/v1/batches/{id}/cancel", self.cancel, methods=["POST"]),
        ]

    async def files(self, request: Request) -> Response:
        if request.method == "GET":
            return await self._answer(request, "list", self._listed_files)
        async with request.form() as form:
            part = form["file"]
            name = getattr(part, "filename", "") or ""
            data = await part.read() if not isinstance(part, str) else b""
        return await self._answer(request, "files", lambda: self._stored(name, data))

    async def file(self, request: Request) -> Response:
        id = request.path_params["id"]
        if id not in self._ledger.files:
            return _lost(f"No such File object: {id}")
        if request.method == "DELETE":
            del self._ledger.files[id]
            return JSONResponse({"id": id, "object": "file", "deleted": True})
        return JSONResponse(self._file(id))

    async def content(self, request: Request) -> Response:
        id = request.path_params["id"]
        if id not in self._ledger.files:
            return _lost(f"No such File object: {id}")
        data = self._ledger.files[id]
        headers = {}
        if self._ledger.cut:
            headers["content-length"] = str(len(data))
            data = data[: self._ledger.cut.popleft()]
        whole = Response(data, media_type="application/octet-stream", headers=headers)
        return await self._answer(request, "content", lambda: whole)

    async def batches(self, request: Request) -> Response:
        if request.method == "GET":
            return await self._answer(request, "list", lambda: self._listed(request))
        asked = await request.json()
        return await self._answer(request, "batches", lambda: self._made(asked))

    async def batch(self, request: Request) -> Response:
        job = self._jobs.get(request.path_params["id"])
        self._ledger.polls += 1
        if job is None:
            return _lost(f"No batch found with id '{request.path_params['id']}'.")
        return await self._answer(request, "poll", lambda: JSONResponse(self._seen(job)))

    async def cancel(self, request: Request) -> Response:
        job = self._jobs.get(request.path_params["id"])
        if job is None:
            return _lost("No such batch.")
        if self._seen(job)["status"] not in ("validating", "in_progress", "finalizing"):
            return error_response(409, "conflict", "Cannot cancel a batch that is over.")
        job.called_off_s = time.monotonic()
        self._note(self._ledger.cancelled, job.id)
        return JSONResponse(self._seen(job))

    async def _answer(self, request: Request, kind: str, act: Callable[[], Response]) -> Response:
        if not self._ledger.offered:
            return _lost(f"Invalid URL ({request.method} {request.url.path})")
        try:
            self._replies.check({}, request.headers.get("authorization", ""))
        except Rejected as problem:
            return Response(problem.answer.body, problem.answer.status)
        refusals = self._ledger.refusals.get(kind)
        if refusals:
            return error_response(refusals.popleft(), "server_error", "Not now.")
        if await self._held(f"before {kind}"):
            return error_response(503, "server_error", "Held and never done.")
        made = act()
        await self._held(f"after {kind}")
        return made

    async def _held(self, point: str) -> bool:
        if self._ledger.hold != point:
            return False
        self._note(self._ledger.held, point)
        while self._ledger.hold == point:  # noqa: ASYNC110 - another thread lets go of it
            await anyio.sleep(0.01)
        return True

    def _note(self, where: list[str], what: str) -> None:
        with self._ledger.changed:
            where.append(what)
            self._ledger.changed.notify_all()

    def _stored(self, name: str, data: bytes) -> Response:
        id = f"file-{next(self._numbers)}"
        self._ledger.files[id], self._ledger.names[id] = data, name
        self._ledger.uploads += 1
        return JSONResponse(self._file(id))

    def _file(self, id: str) -> dict[str, object]:
        return {
            "id": id,
            "object": "file",
            "bytes": len(self._ledger.files[id]),
            "created_at": int(time.time()),
            "filename": self._ledger.names.get(id, "output.jsonl"),
            "purpose": "batch",
            "status": "processed",
        }

    def _listed_files(self) -> Response:
        return JSONResponse({"object": "list", "data": [self._file(f) for f in self._ledger.files]})

    def _made(self, asked: dict[str, object]) -> Response:
        file = str(asked.get("input_file_id"))
        if file not in self._ledger.files:
            return error_response(400, "invalid_request_error", f"Cannot find file {file}.")
        script = self._ledger.jobs.popleft() if self._ledger.jobs else self._ledger.usual
        lines = [json.loads(line) for line in self._ledger.files[file].splitlines()]
        id = f"batch_{next(self._numbers)}"
        fields: dict[str, object] = {
            "id": id,
            "object": "batch",
            "endpoint": asked.get("endpoint"),
            "input_file_id": file,
            "completion_window": asked.get("completion_window"),
            "created_at": int(time.time()),
            "metadata": asked.get("metadata"),
            "output_file_id": None,
            "error_file_id": None,
            "errors": None,
        }
        job = _Job(id, script, fields, lines)
        wrong = wrong_in(lines, asked)
        if wrong:
            job.script = JobScript(status="failed", errors=(wrong,))
        self._jobs[id] = job
        self._note(self._ledger.made, id)
        return JSONResponse(self._seen(job))

    def _listed(self, request: Request) -> Response:
        jobs = list(reversed(self._jobs.values()))
        after = request.query_params.get("after")
        ids = [job.id for job in jobs]
        first = ids.index(after) + 1 if after in ids else 0
        limit = int(request.query_params.get("limit", "20"))
        page = [self._seen(job) for job in jobs[first : first + limit]]
        more = first + limit < len(jobs)
        return JSONResponse({"object": "list", "data": page, "has_more": more})

    def _seen(self, job: _Job) -> dict[str, object]:
        """The job as it stands now."""
        elapsed_s = time.monotonic() - job.began_s
        script = job.script
        if job.ended:
            return job.fields
        if job.called_off_s is not None:
            share = min(1.0, (job.called_off_s - job.began_s) / max(script.takes_s, 1e-9))
            self._end(job, "cancelled", min(share, script.share))
        elif elapsed_s >= script.takes_s:
            self._end(job, script.status, script.share)
        else:
            counts = {"total": len(job.lines), "completed": 0, "failed": 0}
            job.fields |= {"status": "in_progress", "request_counts": counts}
        return job.fields

    def _end(self, job: _Job, status: str, share: float) -> None:
        job.ended = True
        job.fields["status"] = status
        if status == "failed":
            none = {"total": 0, "completed": 0, "failed": 0}
            errors = {"object": "list", "data": list(job.script.errors)}
            job.fields |= {"errors": errors, "request_counts": none}
            return
        whole = status == "completed"
        done = job.lines if whole else job.lines[: round(share * len(job.lines))]
        good: list[dict[str, object]] = []
        bad: list[dict[str, object]] = []
        for line in done:
            answer = self._line(line)
            (good if answer[0] == 200 else bad).append(answer[1])
        completed, refused = len(good), len(bad)
        if status == "expired":
            bad += [_unanswered(line, "batch_expired", EXPIRED) for line in job.lines[len(done) :]]
            refused = len(bad)
        counts = {"total": len(job.lines), "completed": completed, "failed": refused}
        job.fields["request_counts"] = counts
        script = job.script
        good = good[script.missing :]
        if script.doubled:
            good = [each for line in good for each in (line, _other(line))]
        for name, lines in (("output_file_id", good), ("error_file_id", bad)):
            if script.shuffled:
                random.Random(0).shuffle(lines)
            if lines:
                job.fields[name] = self._written(lines)

    def _line(self, line: dict[str, object]) -> tuple[int, dict[str, object]]:
        body = line["body"]
        assert isinstance(body, dict)
        status, answer = self._replies.whole(body)
        with self._ledger.changed:
            if status == 200:
                self._ledger.answered.append(str(line["custom_id"]))
                self._ledger.prompts.append(json.dumps(body))
            self._ledger.changed.notify_all()
        id = f"batch_req_{next(self._numbers)}"
        response = {"status_code": status, "request_id": id, "body": answer}
        return status, {
            "id": id,
            "custom_id": line["custom_id"],
            "response": response,
            "error": None,
        }

    def _written(self, lines: list[dict[str, object]]) -> str:
        id = f"file-{next(self._numbers)}"
        self._ledger.files[id] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        return id


def _unanswered(line: dict[str, object], code: str, message: str) -> dict[str, object]:
    error = {"code": code, "message": message}
    return {"id": "", "custom_id": line["custom_id"], "response": None, "error": error}


def _other(line: dict[str, object]) -> dict[str, object]:
    text = json.dumps(line).replace('"content": "', '"content": "TWICE ')
    other: dict[str, object] = json.loads(text)
    return other


def _lost(message: str) -> Response:
    return error_response(404, "not_found_error", message)

"""A script's answers as whole completions, for whoever asks for them outside of a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from fanout.providers.script import Playback, Script
from fanout.providers.script_wire import Rejected, check, check_form, refused, seed_of, whole


class Replies:
    """The script being played to one server's callers."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.playback = Playback(script)

    def check(self, body: Mapping[str, object], authorization: str) -> None:
        """Raise Rejected for what the script as a whole does not take."""
        check(self.script, body, authorization)

    def whole(self, body: Mapping[str, object]) -> tuple[int, object]:
        """Status and body of the answer to a request in a batch."""
        prompt = prompt_of(body)
        form = body.get("response_format")
        try:
            self.check(body, f"Bearer {self.script.key}")
            check_form(self.script, form, prompt)
            reply = self.playback.next_reply(
                model=str(body.get("model", "")),
                prompt=prompt,
                response_format=form if isinstance(form, dict) else None,
                seed=seed_of(body.get("temperature"), body),
            )
            refused(reply)
        except Rejected as problem:
            return problem.answer.status, _json(problem.answer.body)
        except ConnectionError:
            return 500, {"error": {"message": "The server had an error.", "code": "server_error"}}
        return 200, json.loads(whole(reply, model=str(body.get("model", "")), prompt=prompt))


def prompt_of(body: Mapping[str, object]) -> str:
    """All messages, one after the other."""
    messages = body.get("messages")
    said = messages if isinstance(messages, list) else []
    return "\n\n".join(str(each.get("content", "")) for each in said if isinstance(each, dict))


def error_response(status: int, code: str, message: str) -> Response:
    error = {"message": message, "type": code, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status)


def _json(text: str) -> object:
    value: object = json.loads(text)
    return value

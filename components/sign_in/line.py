"""Streamlit's own socket, heard by Fanout first: who has signed out presses no button any more.

Streamlit asks who is there once, when the socket opens, and keeps what every button of a drawn page
does. So what comes from somebody who isn't signed in, or not any more, is reduced to drawing the
page, which then shows how to sign in, and to pressing that.
"""

from __future__ import annotations

from collections.abc import Callable

from anyio.to_thread import run_sync
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive
from streamlit.proto.BackMsg_pb2 import BackMsg

from components.sign_in.gate import BUTTON

Knows = Callable[[HTTPConnection], bool]
"""Whether whoever opened a connection is signed in, as far as can be told now."""
_HARMLESS = ("rerun_script", "stop_script", "app_heartbeat")


def line(connection: HTTPConnection, receive: Receive, knows: Knows) -> Receive:
    """`receive`, without what only those may ask whom `knows` knows."""

    async def heard() -> Message:
        while True:
            message = await receive()
            data = message.get("bytes")
            if message["type"] != "websocket.receive" or not isinstance(data, bytes):
                return message
            if await run_sync(knows, connection):
                return message
            if (left := reduced(data)) is not None:
                return {**message, "bytes": left}

    return heard


def reduced(data: bytes) -> bytes | None:
    """What is left of a message; None where nothing is. Streamlit refuses what can't be read."""
    asked = BackMsg()
    try:
        asked.ParseFromString(data)
    except Exception:
        # protobuf's own; Streamlit meets it again and closes the socket.
        return data
    if asked.WhichOneof("type") not in _HARMLESS:
        return None
    if asked.HasField("rerun_script"):
        rerun = asked.rerun_script
        # A fragment is a part of the page that was drawn, with what it was drawn with.
        rerun.ClearField("fragment_id")
        pressed = [w for w in rerun.widget_states.widgets if f"-{BUTTON}" in w.id]
        rerun.widget_states.ClearField("widgets")
        rerun.widget_states.widgets.extend(pressed)
    left: bytes = asked.SerializeToString()
    return left

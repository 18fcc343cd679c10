"""Viewers of a run without a screen: they ask for what a browser would ask for, and read it all.

    python benchmarks/viewers.py board|polling HOST:PORT RUN_ID COUNT

`board` opens the board's socket; `polling` opens a Streamlit session and reruns its fragment as
Streamlit's own page does. Prints one line once all of them have something, then goes on until it
is ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

Watch = Callable[[str, str, asyncio.Semaphore], Coroutine[None, None, None]]


async def watch_board(host: str, run_id: str, first: asyncio.Semaphore) -> None:
    async with connect(f"ws://{host}/api/runs/{run_id}/ws", max_size=None) as socket:
        await socket.send(json.dumps({"have": None}))
        await socket.recv()
        first.release()
        async for _ in socket:
            pass


async def watch_polling(host: str, run_id: str, first: asyncio.Semaphore) -> None:
    query = f"run={run_id}&way=polling"
    async with (
        connect(
            f"ws://{host}/_stcore/stream", max_size=None, subprotocols=[Subprotocol("streamlit")]
        ) as socket,
        asyncio.TaskGroup() as tasks,
    ):
        await socket.send(rerun(query))
        async for data in socket:
            message = ForwardMsg.FromString(data)
            if message.WhichOneof("type") == "auto_rerun":
                first.release()
                tasks.create_task(
                    poll(socket, query, message.auto_rerun.fragment_id, message.auto_rerun.interval)
                )


async def poll(socket: ClientConnection, query: str, fragment: str, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await socket.send(rerun(query, fragment))


def rerun(query: str, fragment: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = query
    if fragment:
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = True
    return message.SerializeToString()


async def main(watch: Watch, host: str, run_id: str, count: int) -> None:
    first = asyncio.Semaphore(0)
    viewers = [asyncio.create_task(watch(host, run_id, first)) for _ in range(count)]
    for _ in viewers:
        await first.acquire()
    print("watching", flush=True)
    await asyncio.gather(*viewers)


if __name__ == "__main__":
    ways: dict[str, Watch] = {"board": watch_board, "polling": watch_polling}
    asyncio.run(main(ways[sys.argv[1]], sys.argv[2], sys.argv[3], int(sys.argv[4])))

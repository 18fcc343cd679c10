"""A way to a server that can fall silent: nothing is closed, nothing is refused, nothing comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class SilentWay:
    """Passes on whatever comes on `port`, as long as `speaks` is set."""

    def __init__(self, to: int) -> None:
        self.speaks = threading.Event()
        self.speaks.set()
        self._to = to
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self._server, *self._open):
            # Wakes the threads that read from it.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.speaks.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += (near, far)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self.speaks.wait()
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)


@contextmanager
def silent_way(to: int) -> Iterator[SilentWay]:
    way = SilentWay(to)
    try:
        yield way
    finally:
        way.close()

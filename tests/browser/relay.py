"""A line between browser and app that can be cut: loopback bytes passed on until it breaks."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

CHUNK = 65_536


class Relay:
    """Passes connections to a port on to another; `cut` breaks all that are open."""

    def __init__(self, listener: socket.socket, port: int) -> None:
        self.url = f"http://localhost:{listener.getsockname()[1]}"
        self._listener = listener
        self._port = port
        self._open: set[socket.socket] = set()
        self.down = False
        """True turns new connections away."""

    def cut(self) -> int:
        """Break every open connection as a network does, and return how many."""
        lines = list(self._open)
        for line in lines:
            _end(line)
        return len(lines) // 2

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.down:
                    _end(near)
                    continue
                far = socket.create_connection(("localhost", self._port))
                self._open |= {near, far}
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                target.sendall(data)
        for line in (source, target):
            _end(line)
            self._open.discard(line)


@contextlib.contextmanager
def relay_to(port: int) -> Iterator[Relay]:
    """A relay to that port of this machine, on a free port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(listener, port)
        threading.Thread(target=relay.serve, daemon=True).start()
        yield relay
        listener.shutdown(socket.SHUT_RDWR)
    relay.cut()


def _end(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()

"""The network between a browser and the hub, which a test can cut."""

from __future__ import annotations

import contextlib
import socket
import threading


class Cable:
    """Passes bytes to a port of this machine and back. While it is cut, nobody gets through."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.whole = True
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._admit, daemon=True).start()

    @property
    def origin(self) -> str:
        """Where the hub is for somebody at this end."""
        return f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def cut(self) -> None:
        """End every connection at once, and each new one."""
        self.whole = False
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            hang_up(end)

    def mend(self) -> None:
        """Let connections through again."""
        self.whole = True

    def close(self) -> None:
        """Away with it."""
        self._door.close()
        self.cut()

    def _admit(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._door.accept()
                self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self.target)) if self.whole else None
        except OSError:
            far = None
        if far is None:
            hang_up(near)
            return
        with self._lock:
            self._ends |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with self._lock:
            self._ends -= {source, sink}
        hang_up(source)
        hang_up(sink)


def hang_up(end: socket.socket) -> None:
    """Close a connection in both directions, whoever waits for it."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()

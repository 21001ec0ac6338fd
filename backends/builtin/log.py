"""The child's log: a file that never grows beyond a limit, and its last lines for people."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from types import TracebackType

#: Bytes. When the file would pass this, its older half is dropped.
LIMIT = 256 * 1024
#: Lines, and characters a line, that are shown with a failure.
TAIL_LINES = 20
TAIL_WIDTH = 300


class BoundedLog:
    """Starts empty. Written by one thread, read by any."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = Lock()
        self._size = 0
        self._tail = b""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w+b", buffering=0)

    def __enter__(self) -> BoundedLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._file.close()

    def write(self, chunk: bytes) -> None:
        """Append. A chunk above half of the limit loses its beginning."""
        with self._lock:
            chunk = chunk[-self._limit // 2 :]
            self._tail = (self._tail + chunk)[-TAIL_LINES * TAIL_WIDTH :]
            if self._file.closed:
                return
            if self._size + len(chunk) > self._limit:
                self._drop_older_half()
            self._file.write(chunk)
            self._size += len(chunk)

    def last_lines(self) -> tuple[str, ...]:
        """The last lines, shortened."""
        with self._lock:
            lines = self._tail.decode(errors="replace").splitlines()
        return tuple(line[:TAIL_WIDTH] for line in lines[-TAIL_LINES:] if line.strip())

    def _drop_older_half(self) -> None:
        self._file.seek(-min(self._size, self._limit // 2), 2)
        kept = self._file.read().partition(b"\n")[2]
        self._file.seek(0)
        self._file.truncate()
        self._file.write(kept)
        self._size = len(kept)

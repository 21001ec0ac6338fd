"""Newline-delimited JSON: bytes in, lines out."""

from __future__ import annotations

from collections.abc import Iterator

from backends.adapters.errors import ProtocolError

#: Bytes that one frame may have. The largest real ones (snapshots of OpenCode) have about two million.
MAX_FRAME = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"


class NDJSONDecoder:
    """Cuts a byte stream into lines, wherever the network cut it.

    Only LF ends a line: U+0085 and U+2028 are legal inside JSON strings.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._rest = bytearray()
        self._first = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """All lines that this chunk completes, without blank ones. Consume it to the end.

        Raises ProtocolError for a line longer than the limit, after the lines before it.
        """
        lines = chunk.split(b"\n")
        rest = lines.pop()
        for line in lines:
            if self._rest:
                self._keep(line)
                line = self._take()
            yield from self._line(line)
        self._keep(rest)

    def close(self) -> Iterator[bytes]:
        """The last line where the stream ended without a line end."""
        yield from self._line(self._take())

    def _keep(self, piece: bytes) -> None:
        self._rest += piece
        _check(len(self._rest), self._max)

    def _take(self) -> bytes:
        line = bytes(self._rest)
        self._rest.clear()
        return line

    def _line(self, line: bytes) -> Iterator[bytes]:
        _check(len(line), self._max)
        if self._first:
            self._first = False
            line = line.removeprefix(BOM)
        if line and not line.isspace():
            yield line


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise ProtocolError("frame too large")

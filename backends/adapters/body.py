"""The body of an HTTP/1.1 response, straight from a socket (RFC 9112, sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from backends.adapters.errors import ProtocolError, Truncated

_HEX = b"0123456789abcdefABCDEF"
#: Bytes of one line between chunks, and of all lines after the last one.
_MAX_LINE = 16 * 1024


class Framing(Protocol):
    """Takes the transfer coding off. ``done`` once the body is complete.

    ``failure`` is what is wrong with the coding, once the content before it has been taken.
    """

    done: bool
    failure: ProtocolError | None

    def feed(self, data: bytes) -> bytes:
        """The content in these bytes."""

    def close(self) -> None:
        """The connection ended. Raises Truncated where the body should have gone on."""


class Chunked:
    """The chunked coding; many small chunks that come together become one piece."""

    def __init__(self) -> None:
        self.done = False
        self.failure: ProtocolError | None = None
        self._left = 0
        self._rest = b""
        self._after_chunk = False
        self._trailer = -1

    def feed(self, data: bytes) -> bytes:
        data, self._rest = self._rest + data, b""
        pieces: list[bytes] = []
        position = 0
        while not self.done and self.failure is None:
            if self._left:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                self._after_chunk = not self._left
            end = data.find(b"\n", position)
            if self._left or end < 0:
                break
            self._line(data[position:end].rstrip(b"\r"))
            position = end + 1
        self._keep(data[position:])
        return b"".join(pieces)

    def close(self) -> None:
        if not self.done:
            raise Truncated("the connection broke in the middle of the answer")

    def _keep(self, rest: bytes) -> None:
        if len(rest) > _MAX_LINE:
            self._fail()
        self._rest = rest

    def _line(self, line: bytes) -> None:
        """A line between two chunks: the end of one, the size of the next, or a trailer."""
        if self._trailer >= 0:
            self._trailer += len(line)
            self.done = not line
        elif self._after_chunk:
            self._after_chunk = False
            if line:
                self._fail()
        else:
            self._size(line.partition(b";")[0].strip())
        if self._trailer > _MAX_LINE:
            self._fail()

    def _size(self, size: bytes) -> None:
        if not size or len(size) > 16 or size.strip(_HEX):
            self._fail()
            return
        self._left = int(size, 16)
        if not self._left:
            self._trailer = 0

    def _fail(self) -> None:
        self.failure = ProtocolError("broken chunked coding")


class Sized:
    """A body whose length was announced."""

    failure: ProtocolError | None = None

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = not length

    def feed(self, data: bytes) -> bytes:
        data = data[: self._left]
        self._left -= len(data)
        self.done = not self._left
        return data

    def close(self) -> None:
        if not self.done:
            raise Truncated("the connection broke in the middle of the answer")


class UntilClosed:
    """A body that ends with the connection."""

    done = False
    failure: ProtocolError | None = None

    def feed(self, data: bytes) -> bytes:
        return data

    def close(self) -> None:
        self.done = True


def framing(status: int, headers: Mapping[str, str]) -> Framing | None:
    """How the body of a response to GET or POST is framed; None for codings that we do not take off."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        return None
    if status == 204:
        return Sized(0)
    coding = headers.get("transfer-encoding")
    if coding is not None:
        return Chunked() if coding.strip().lower() == "chunked" else None
    length = headers.get("content-length", "")
    if not length:
        return UntilClosed()
    return Sized(int(length)) if length.isascii() and length.isdigit() else None

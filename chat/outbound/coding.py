"""Unpacks a compressed body without ever holding more than was asked for."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from django.utils.translation import gettext as _

from chat.outbound.errors import TooLarge, Unreachable, WrongType

#: What we say that we can unpack. Brotli is left out: its decoder has no limit to what one call gives.
ACCEPTED = "gzip, deflate"
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


class Body:
    """Collects a body. Raises TooLarge beyond ``limit`` bytes, packed or unpacked."""

    def __init__(self, headers: Mapping[str, str], limit: int) -> None:
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in {"", "identity"} and coding not in _WINDOWS:
            raise WrongType(
                _("The page is packed in a way that was not asked for (%(coding)s).")
                % {"coding": coding[:40]}
            )
        self._coding = coding
        self._unpack = zlib.decompressobj(_WINDOWS[coding]) if coding in _WINDOWS else None
        self._limit = limit
        self._read = 0
        self._data = bytearray()
        length = headers.get("content-length", "")
        if length.isdecimal() and len(length) < 20 and int(length) > limit:
            raise self._too_large()

    def feed(self, data: bytes) -> None:
        """More bytes from the wire. Raises TooLarge, or Unreachable where the compression is broken."""
        self._read += len(data)
        if self._read > self._limit:
            raise self._too_large()
        self._data += self._unpacked(data)
        if len(self._data) > self._limit:
            raise self._too_large()

    def whole(self) -> bytes:
        """All of it. Raises Unreachable where the compressed body ended too early."""
        if self._unpack is not None and self._read and not self._unpack.eof:
            raise Unreachable(_("The page is incomplete."))
        return bytes(self._data)

    def _unpacked(self, data: bytes) -> bytes:
        if self._unpack is None:
            return data
        room = self._limit - len(self._data) + 1
        try:
            return self._unpack.decompress(data, room)
        except zlib.error:
            return self._raw_deflate(data, room)

    def _raw_deflate(self, data: bytes, room: int) -> bytes:
        """Some servers mean a bare stream when they say "deflate"; it shows at the first byte."""
        if self._coding == "deflate" and self._read == len(data):
            self._unpack = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                return self._unpack.decompress(data, room)
            except zlib.error:
                pass
        raise Unreachable(_("The page's compression is broken."))

    def _too_large(self) -> TooLarge:
        return TooLarge(_("It is larger than %(size)d KB.") % {"size": self._limit // 1024})

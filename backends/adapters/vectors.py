"""Embeddings: how many texts go into one request, and vectors out of JSON that nobody vouches for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from backends.adapters.errors import ProtocolError
from backends.adapters.values import as_float

#: Texts of one request: 64 vectors of 4096 numbers are about 6 MB of JSON, and 16 MB is the most we read.
PAGE = 64


def pages(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in portions that fit one answer; none for no texts."""
    for start in range(0, len(texts), PAGE):
        yield texts[start : start + PAGE]


def vectors(value: Any, count: int) -> list[list[float]]:
    """Exactly so many vectors. Raises ProtocolError."""
    if not isinstance(value, list) or len(value) != count:
        raise ProtocolError(f"the answer does not have {count} embeddings")
    return [vector(item) for item in value]


def vector(value: Any) -> list[float]:
    """One vector, never empty. Raises ProtocolError."""
    numbers = [as_float(number) for number in value] if isinstance(value, list) else []
    if not numbers or None in numbers:
        raise ProtocolError("an embedding is not a list of numbers")
    return [number for number in numbers if number is not None]

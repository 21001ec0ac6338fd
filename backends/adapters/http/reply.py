"""A whole response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.adapters.classify import is_html
from backends.adapters.errors import ProtocolError, WrongService
from backends.adapters.values import parse_json


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response. ``headers`` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The parsed body; None where it is empty. Raises WrongService for a page, or ProtocolError."""
        if not self.body.strip():
            return None
        if is_html(self.headers.get("content-type", ""), self.body):
            raise WrongService(f"HTTP {self.status} with a web page", status=self.status)
        try:
            return parse_json(self.body.removeprefix(b"\xef\xbb\xbf"))
        except ValueError:
            raise ProtocolError("the answer is not JSON", status=self.status) from None

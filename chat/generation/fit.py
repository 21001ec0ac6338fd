"""What fills a model's window: measured before a request, exact once its server has counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from backends.adapters.events import Usage
from chat.generation.estimate import LARGEST, USUAL, Size, learned
from chat.generation.window import Window

#: What a window is filled with, beside the parts of the system text, which have names of their own.
TOOLS, SUMMARY, FILES, HISTORY = "tools", "summary", "files", "history"


@dataclass(frozen=True, slots=True)
class Fit:
    """A request in its model's window. ``sizes`` by part; ``reserve`` is kept free for the answer.

    ``known`` is what the catalogue has of bytes for each token, ``ratio`` what was reckoned with here.
    ``first`` is the first message that is sent, where any are left out.
    """

    window: Window = field(default_factory=Window)
    reserve: int = 0
    ratio: float = USUAL
    known: float | None = None
    sizes: Mapping[str, Size] = field(default_factory=dict)
    first: int | None = None

    @property
    def size(self) -> Size:
        """Everything that is sent."""
        return sum(self.sizes.values(), Size())

    @property
    def tokens(self) -> int:
        """About how many that is."""
        return self.size.tokens(self.ratio)

    def having(self, name: str, size: Size) -> Fit:
        """With one more part."""
        return replace(self, sizes={**self.sizes, name: size})

    def teaches(self, usage: Usage | None) -> float | None:
        """Bytes for each token of this model from now on; None where nothing new was learned."""
        return learned(self.known, self.size, usage.input_tokens or 0) if usage else None

    def stored(self, usage: Usage | None) -> dict[str, Any]:
        """As the generation keeps it; ``usage`` is that of the last request of the answer.

        ``parts`` are estimates. ``input`` is exact, and with ``output`` what the next question finds in the
        window; reasoning is not sent again. A server that counts only what it had not read before tells nothing.
        """
        found: dict[str, Any] = {
            "window": self.window.tokens,
            "source": self.window.source.value,
            "reserve": self.reserve,
            "parts": {name: size.tokens(self.ratio) for name, size in self.sizes.items() if size != Size()},
        }
        if self.first is not None:
            found["first"] = self.first
        if usage and usage.input_tokens and self.size.text <= usage.input_tokens * LARGEST:
            found["input"] = usage.input_tokens
            found["output"] = max((usage.output_tokens or 0) - (usage.reasoning_tokens or 0), 0)
        return found

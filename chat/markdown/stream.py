"""A running answer as HTML that grows: `feed` text, `flush` the changes of the page."""

from __future__ import annotations

from chat.markdown.blocks import Blocks
from chat.markdown.nodes import Patch
from chat.markdown.render import render


class MarkdownStream:
    """Renders text as it comes. `snapshot` and the patches of `flush` always describe the same page.

    Text is only looked at by `flush`: between two of them nothing but a list grows. So a snapshot shows the state
    of the last flush, and the next flush continues from exactly there.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._generation = 0
        self._texts: list[str] = []
        self._waiting: list[str] = []
        self._blocks = Blocks(prefix)

    @property
    def text(self) -> str:
        """All text so far."""
        if len(self._texts) > 1:
            self._texts = ["".join(self._texts)]
        return self._texts[0] if self._texts else ""

    def feed(self, text: str) -> None:
        if text:
            self._texts.append(text)
            self._waiting.append(text)

    def flush(self) -> list[Patch]:
        """The changes since the last flush, to be applied in this order."""
        text = "".join(self._waiting)
        self._waiting.clear()
        if text.endswith("\r"):  # perhaps the first half of a line end
            text = text[:-1]
            self._waiting.append("\r")
        if text:
            self._blocks.extend(_normalised(text))
        return self._blocks.drain()

    def snapshot(self) -> str:
        """The inside of the message body as of the last flush."""
        return self._blocks.html()

    def finish(self) -> str:
        """The finished answer, rendered as a whole."""
        return render(self.text)

    def reset(self, text: str = "") -> None:
        """Start again; the next flush replaces the whole body. New names, lest a late patch hits a new element."""
        self._generation += 1
        self._texts, self._waiting = [], []
        self._blocks = Blocks(self._prefix, self._generation)
        self.feed(text)


def _normalised(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "\ufffd") if "\0" in text else text

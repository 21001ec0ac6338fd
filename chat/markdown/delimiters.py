"""The open end of a paragraph: what is decided already, and how to show what is not.

`scan` walks once over the not yet frozen end of the text, a rough sketch of CommonMark's inline rules. When it errs,
the paragraph looks slightly different until it is complete; nothing is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chat.markdown.marks import FAR, Walk, walk_over

# Text without any of these reads the same whatever comes behind it; an e-mail address is linked at the end.
SPECIAL = re.compile(
    r"[\n*_~`\[\]<$\\&!]|://|mailto:|(?<![^\W_])(?:h|ht|htt|https?:?/?|m|ma|mai|mail|mailto?)\Z",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"[!-~]+\Z")
_LINKING = re.compile(r"[*_~`\[\]<$\\&!]|://|mailto:", re.IGNORECASE)


@dataclass(slots=True)
class Scan:
    """`safe`: how much is decided. `shown`: the rest as to be rendered. `growing`: plain words may be added to it.

    `closers` end what is open in `shown`; `literal` is source to be shown as it is behind it.
    """

    safe: int = 0
    shown: str = ""
    closers: str = ""
    literal: str = ""
    growing: bool = False


def scan(text: str) -> Scan:
    return _result(walk_over(text))


def _result(walk: Walk) -> Scan:
    text = walk.text
    first = min(
        [opening.at for opening in walk.open] + ([walk.stopped_at] if walk.stopped_at >= 0 else [len(text)])
    )
    safe = first if first < len(text) else _outside(walk.whole, _before_last_word(text))
    hidden = walk.hidden + [
        (opening.at, opening.at + len(opening.mark)) for opening in walk.open if "[" in opening.mark
    ]
    body = _without(text[: walk.end], hidden, safe)
    closers = "".join(opening.mark for opening in reversed(walk.open) if "[" not in opening.mark)
    literal = text[walk.stopped_at :] if walk.stop == "literal" else ""
    if not literal:
        body = body.rstrip(" \t\n")
    if walk.stop.startswith("`"):
        closers = walk.stop + closers
    growing = bool(walk.open or walk.stop) and walk.end == len(text) and text[-1:].isalnum()
    return Scan(safe, body, closers if body else "", literal, growing and not _linking_end(text))


def _before_last_word(text: str) -> int:
    """A word with marks in it may go on; a plain one is as it is."""
    match = _LAST_WORD.search(text, max(0, len(text) - FAR))
    return (
        match.start()
        if match and (_LINKING.search(match.group()) or SPECIAL.search(match.group()))
        else len(text)
    )


def _outside(whole: list[tuple[int, int]], at: int) -> int:
    """The last word may be the end of something longer, "**two words**"."""
    for start, end in reversed(whole):
        if start < at < end:
            at = start
    return at


def _linking_end(text: str) -> bool:
    match = _LAST_WORD.search(text, max(0, len(text) - FAR))
    return bool(match and re.search(r"[:/.@]|\Ahttp|\Amailto", match.group()))


def _without(text: str, hidden: list[tuple[int, int]], start: int) -> str:
    parts, position = [], start
    for begin, end in sorted(hidden):
        if begin >= position:
            parts.append(text[position:begin])
            position = end
    parts.append(text[position:])
    return "".join(parts)

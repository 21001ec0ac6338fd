"""A title at once, from the first words of the question; no model is asked for it."""

from __future__ import annotations

import re

LONGEST = 60
#: Words between marks. ``2**8`` and ``__init__`` are none: something stands right before or after their marks.
_MARKED = re.compile(r"(?<![\w*])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])|`([^`]+)`")


def title_from(text: str) -> str:
    """The first line with words in it, without Markdown marks, cut at a word."""
    for line in text.splitlines():
        plain = _MARKED.sub(lambda found: found[1] or found[2], line)
        words = re.sub(r"\s+", " ", plain.strip(" \t#>*-_`~|=")).strip()
        if words:
            return shorten(words)
    return shorten(text.strip())


def shorten(words: str) -> str:
    """At most LONGEST characters, cut at a space where there is one not too early."""
    if len(words) <= LONGEST:
        return words
    cut = words.rfind(" ", LONGEST // 2, LONGEST)
    return words[: cut if cut > 0 else LONGEST - 1].rstrip(" ,;:.") + "…"

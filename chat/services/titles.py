"""A title at once, from the first words of the question; no model is asked for it."""

from __future__ import annotations

import re

LONGEST = 60


def title_from(text: str) -> str:
    """The first line with words in it, without Markdown marks, cut at a word."""
    for line in text.splitlines():
        words = re.sub(r"\s+", " ", line.strip(" \t#>*-_`~|=")).strip()
        if words:
            return shorten(words)
    return shorten(text.strip())


def shorten(words: str) -> str:
    """At most LONGEST characters, cut at a space where there is one not too early."""
    if len(words) <= LONGEST:
        return words
    cut = words.rfind(" ", LONGEST // 2, LONGEST)
    return words[: cut if cut > 0 else LONGEST - 1].rstrip(" ,;:.") + "…"

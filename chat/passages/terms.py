"""The words of a text as they are counted and looked for."""

from __future__ import annotations

import re
import unicodedata

#: Letters of a word that count: endings differ, and this suits most languages about as well as a stemmer of each
#: (McNamee and Mayfield, "Character n-gram tokenization for European language text retrieval", 2004).
STEM = 6
_WORD = re.compile(r"[^\W_]+")
#: Writing without spaces between words: Chinese and Japanese characters, Thai.
_DENSE = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


def terms(text: str) -> list[str]:
    """Lower-case, without accents, cut to their stems; of dense writing every two neighbours."""
    found: list[str] = []
    for word in _WORD.findall(_plain(text)):
        if word.isascii() or not _DENSE.search(word):
            found.append(word[:STEM] if not word.isdigit() else word)
            continue
        found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
    return found


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))

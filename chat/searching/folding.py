"""Words as the index compares them: without case and accents, parted where neither letters nor digits are."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile("[\u0300-\u036f]")
#: A run of letters and digits, as FTS5's ``unicode61`` and our column of PostgreSQL see it.
TOKEN = re.compile(r"[^\W_]+")


#: Scripts that put no space between words: there a run of letters is no word.
UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def fold(text: str) -> str:
    """The text in lower case, without diacritics: what both databases do with theirs."""
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).lower()


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text, folded."""
    return tuple(TOKEN.findall(fold(text)))


class _Table(dict[int, str]):
    """For ``str.translate``: each character to one folded character, so that places stay the same."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = self[code] = fold(character)[:1] or character
        return folded


_TABLE = _Table()


def folded_in_place(text: str) -> str:
    """The text folded, each character where it was."""
    return text.translate(_TABLE)

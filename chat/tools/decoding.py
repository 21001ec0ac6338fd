"""Bytes of a page as text."""

from __future__ import annotations

import codecs
import re

_META = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
#: Where a page may say its own charset (HTML standard, 4.2.5.4).
_HEAD = 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: Browsers read these as Windows' superset (Encoding standard).
_READ_AS = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
#: Charsets of the web (Encoding standard). Python knows others that are no text, or slow on purpose.
_KNOWN = re.compile(
    r"utf-8|utf-16(-[lb]e)?|cp125\d|iso8859-\d+|koi8-[ru]|cp866|cp874|mac-(roman|cyrillic)|gb18030|big5|euc_(jp|kr)"
    r"|shift_jis|iso2022_jp"
)


def decoded(body: bytes, charset: str) -> str:
    """By its byte order mark, by what the server says, by what the page says, or as UTF-8."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    declared = _META.search(body[:_HEAD])
    for word in (charset, declared[1].decode() if declared else ""):
        if name := _codec(word):
            return body.decode(name, "replace")
    return body.decode("utf-8", "replace")


def _codec(word: str) -> str:
    """The name of a charset as Python has it; empty where the web knows none such."""
    try:
        name = codecs.lookup(word).name
    except (LookupError, ValueError):
        return ""
    name = _READ_AS.get(name, name)
    return name if _KNOWN.fullmatch(name) else ""

"""What the beginning of a line starts: CommonMark's block rules as questions about one line.

Each answer may be `None`: too little of the line is there to tell, so nothing of it is shown yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chat.markdown import formulas

MAX_DEPTH = 24
# A line that is undecided for longer than this is text.
_MAX_UNDECIDED = 1_000


@dataclass(frozen=True, slots=True)
class Start:
    """A block that begins here; `rest` is what follows its mark on the line."""

    rest: str = ""


class Blank(Start):
    __slots__ = ()


class Text(Start):
    __slots__ = ()


class QuoteStart(Start):
    __slots__ = ()


class Indented(Start):
    __slots__ = ()


class RuleStart(Start):
    __slots__ = ()


class DraftStart(Start):
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ItemStart(Start):
    marker: str = "-"
    number: int | None = None
    indent: int = 2
    checked: bool | None = None


@dataclass(frozen=True, slots=True)
class HeadingStart(Start):
    level: int = 1


@dataclass(frozen=True, slots=True)
class Underline(Start):
    level: int = 1


@dataclass(frozen=True, slots=True)
class FenceStart(Start):
    fence: str = "```"
    info: str = ""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class FormulaStart(Start):
    closing: str = "$$"


_QUOTE = re.compile(r" {0,3}> ?")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+|\Z)")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\Z")
_HALF_RULE = re.compile(r"(?:[*][* \t]*|-[- \t]*|_[_ \t]*)\Z")
_FENCE = re.compile(r"(`{3,})([^`]*)\Z|(~{3,})(.*)\Z", re.DOTALL)
_HALF_FENCE = re.compile(r"`{1,2}\Z|~{1,2}\Z|`{3,}[^`]*\Z|~{3,}")
_ITEM = re.compile(r"(?:([-+*])|(\d{1,9})([.)]))(?:([ \t]+)|\Z)")
_HALF_ITEM = re.compile(r"(?:[-+*]|\d{1,9}[.)]?)[ \t]*\Z")
_TASK = re.compile(r"\[([ xX])\][ \t]")
_HALF_TASK = re.compile(r"\[(?:[ xX]\]?)?\Z")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*\Z")


def indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def strip_quote(line: str) -> str | None:
    """The inside of a quote's line, or None when the line does not go on with the quote."""
    match = _QUOTE.match(line)
    return line[match.end() :] if match else None


def starts(
    line: str, complete: bool, strict: bool, depth: int, underline: bool = False
) -> list[Start] | None:
    """All that begins on this line, outermost first; the last one holds no other block.

    `strict`: a paragraph is open, which not everything may interrupt. `underline`: it may become a heading.
    """
    found: list[Start] = []
    while True:
        start = _start(line, complete, strict, underline and not found)
        if start is None:
            return None
        found.append(start)
        if not isinstance(start, QuoteStart | ItemStart):
            return found
        if depth + len(found) > MAX_DEPTH:
            return [*found[:-1], Text(line.strip(" \t"))]
        line, strict = start.rest, False


def _start(line: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    body = line.lstrip(" \t")
    if not body:
        return Blank() if complete else None
    if len(line) - len(body) >= 4 or line.startswith("\t"):
        return Text(body) if strict else (Indented(line) if complete else None)
    if not complete and len(body) > _MAX_UNDECIDED:
        return Text(body)
    probe = _PROBES.get(body[0])
    start = probe(body, complete, strict, underline) if probe else Text(body)
    if start and isinstance(start, FenceStart | ItemStart):
        return _placed(start, line, body)
    return start


def _placed(start: FenceStart | ItemStart, line: str, body: str) -> Start:
    margin = len(line) - len(body)
    if isinstance(start, FenceStart):
        return FenceStart(fence=start.fence, info=start.info, indent=margin)
    return ItemStart(start.rest, start.marker, start.number, start.indent + margin, start.checked)


def _quote(body: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    return QuoteStart(strip_quote(body) or "")


def _heading(body: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    match = _HEADING.match(body)
    if not complete and (not body.strip("# \t")):
        return None
    return HeadingStart(body[match.end() :], len(match.group(1))) if match else Text(body)


def _fence(body: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    if not complete:
        return None if _HALF_FENCE.match(body) else Text(body)
    match = _FENCE.match(body)
    if match is None:
        return Text(body)
    return FenceStart(fence=match.group(1) or match.group(3), info=match.group(2) or match.group(4) or "")


def _marks(body: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    """Lines of `-`, `*` or `_`: rules, underlines, items, or emphasis."""
    if not complete and _HALF_RULE.match(body):
        return None
    if complete and underline and body[0] == "-" and _UNDERLINE.match(body):
        return Underline(level=2)
    if complete and _RULE.match(body):
        return RuleStart()
    return _item(body, complete, strict, underline)


def _item(body: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    if not complete and _HALF_ITEM.match(body):
        return None
    match = _ITEM.match(body)
    if match is None:
        return Text(body)
    bullet, number, period, space = match.groups()
    rest = body[match.end() :]
    if strict and (not rest or (number not in (None, "1") and int(number) != 1)):
        return Text(body)
    width = match.end() - len(space or "")
    gap = len((space or "").expandtabs(4))
    if gap > 4:
        rest, gap = " " * (gap - 1) + rest, 1
    if not complete and _HALF_TASK.match(rest):
        return None
    task = _TASK.match(rest)
    checked = task.group(1) in "xX" if task else None
    indent = width + (gap if rest else 1)
    return ItemStart(
        rest[4:] if task else rest, bullet or period, int(number) if number else None, indent, checked
    )


def _equals(body: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    if underline and _UNDERLINE.match(body):
        return Underline(level=1) if complete else None
    return Text(body)


def _formula(body: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    closing = formulas.block_closing(body)
    if not complete:
        return None if closing or body in ("$", "\\") else Text(body)
    if closing is None or formulas.block_ends(body, closing, True) is None:
        return Text(body)
    return FormulaStart(body, closing)


def _pipe(body: str, complete: bool, strict: bool, underline: bool) -> Start | None:
    return Text(body) if strict else DraftStart(body)


_PROBES = {
    ">": _quote,
    "#": _heading,
    "`": _fence,
    "~": _fence,
    "-": _marks,
    "*": _marks,
    "_": _marks,
    "+": _item,
    "=": _equals,
    "$": _formula,
    "\\": _formula,
    "|": _pipe,
} | dict.fromkeys("0123456789", _item)

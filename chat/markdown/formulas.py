r"""Where a formula starts and ends: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, as rules for markdown-it.

The same functions serve the stream, so both agree on what "$5 and $10" is (money).
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from chat.markdown.math import MAX_LENGTH

_MAX_DOLLAR = 400
_MAX_LINES = 100
_OPENING = re.compile(r"\$\$|\\\[")
_CLOSING = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_DOLLAR_END = re.compile(r"(?<![\s\\])\$(?![\d$])")
_PROSE = re.compile(r"[^\\^_{}=+*/<>|-]*\s[^\\^_{}=+*/<>|-]*\Z")


def inline_end(text: str, start: int) -> int:
    """The position behind the formula that opens at `start`, or -1."""
    two = text[start : start + 2]
    if two in _CLOSING:
        end = text.find(_CLOSING[two], start + 2, start + MAX_LENGTH)
        return end + 2 if end > start + 2 else -1
    return _dollar_end(text, start) if two[:1] == "$" else -1


def may_open_dollar(text: str, start: int) -> bool:
    """A dollar opens a formula when text follows at once and no word or dollar stands before it."""
    before, after = text[start - 1 : start] if start else "", text[start + 1 : start + 2]
    return (
        not (before.isalnum() or (before in ("$", "\\") and before)) and bool(after) and not after.isspace()
    )


def block_closing(line: str) -> str | None:
    """How the formula ends that a line opens, or None. The line comes without its indentation."""
    match = _OPENING.match(line)
    return _CLOSING[match.group()] if match else None


def block_ends(line: str, closing: str, first: bool) -> bool | None:
    """True: the formula ends with this line. None: it cannot, text stands behind the end. False: not yet."""
    at = line.find(closing, 2 if first else 0)
    if at < 0:
        return False
    return True if not line[at + 2 :].strip() else None


def plugin(md: MarkdownIt) -> None:
    md.inline.ruler.before("escape", "formula", _inline_rule)
    md.block.ruler.before(
        "fence", "formula_block", _block_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _dollar_end(text: str, start: int) -> int:
    if not may_open_dollar(text, start):
        return -1
    match = _DOLLAR_END.search(text, start + 2, start + _MAX_DOLLAR)
    if match is None or _PROSE.match(text[start + 1 : match.start()]):
        return -1
    return match.end()


def _inline_rule(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    end = inline_end(state.src, state.pos)
    if end < 0 or end > state.posMax:
        return False
    if not silent:
        width = 1 if state.src[state.pos] == "$" and state.src[state.pos + 1] != "$" else 2
        token = state.push("formula", "math", 0)
        token.content = state.src[state.pos + width : end - width]
        token.meta = {"display": state.src[state.pos : state.pos + 2] in ("$$", "\\[")}
    state.pos = end
    return True


def _block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    first = _line(state, start)
    closing = block_closing(first)
    if closing is None:
        return False
    last = _last_line(state, start, end, closing)
    if last is None:
        return False
    if not silent:
        source = "\n".join([first, *(_line(state, number) for number in range(start + 1, last + 1))])
        token = state.push("formula_block", "math", 0)
        token.content = source[2:].rstrip()[:-2]
        token.map = [start, last + 1]
        state.line = last + 1
    return True


def _last_line(state: StateBlock, start: int, end: int, closing: str) -> int | None:
    least = min(
        state.blkIndent, state.sCount[start]
    )  # outside of an item when the formula ends its paragraph
    for number in range(start, min(end, start + _MAX_LINES)):
        line = _line(state, number)
        if not line.strip() or state.sCount[number] < least:
            return None
        found = block_ends(line, closing, number == start)
        if found is not False:
            return number if found else None
    return None


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]

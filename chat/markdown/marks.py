"""One walk over the open end of a paragraph: which marks are open, which have found their other half."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chat.markdown import formulas

# An opening this far back was no opening.
FAR = 300
_TOKEN = re.compile(r"\\[(\[]|\\.|\\\Z|`+|\$|!?\[|\]|\*+|_+|~~+|<|&[#\w]{0,31}\Z|!\Z", re.DOTALL)
_DESTINATION = re.compile(
    r"\(\s*(?:<[^<>\n]*>|[^\s()<]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
_HALF_DESTINATION = re.compile(r"\([^\s<>]*(?:\s+(?:\"[^\"]*\"?|'[^']*'?)?\s*)?\Z")
_AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>]*>", re.IGNORECASE)
_HALF_AUTOLINK = re.compile(
    r"<(?:h|ht|htt|https?|https?:[^\s<>]*|m|ma|mai|mail|mailt|mailto|mailto:[^\s<>]*)?\Z", re.IGNORECASE
)
_WORDS_AFTER_DOLLAR = re.compile(r"\$\d[\d.,]*[^\S\n]|[^\\]*[a-z]{2,} [a-z]{2,} ")


@dataclass(slots=True)
class Opening:
    at: int
    mark: str


@dataclass(slots=True)
class Walk:
    """`open`, `whole`: marks without and with their other half. `hidden`: what is not to be shown.

    `end`: what can be shown ends here. `stop`, `stopped_at`: what the rest is, and where it begins.
    """

    text: str
    open: list[Opening] = field(default_factory=list)
    whole: list[tuple[int, int]] = field(default_factory=list)
    hidden: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0
    stop: str = ""
    stopped_at: int = -1


def walk_over(text: str) -> Walk:
    walk = Walk(text, end=len(text))
    position = 0
    while walk.stopped_at < 0 and (match := _TOKEN.search(text, position)):
        position = _HANDLERS[match.group()[0]](walk, match)
    return walk


def _escape(walk: Walk, match: re.Match[str]) -> int:
    mark, at = match.group(), match.start()
    if mark == "\\":
        return _cut(walk, at)
    if mark in ("\\(", "\\["):
        end = formulas.inline_end(walk.text, at)
        return _complete(walk, at, end) if end > 0 else _literal(walk, at)
    return match.end()


def _backticks(walk: Walk, match: re.Match[str]) -> int:
    run = match.group()
    closing = re.compile(rf"(?<!`){run}(?!`)").search(walk.text, match.end())
    if closing:
        return _complete(walk, match.start(), closing.end())
    if match.end() == len(walk.text):
        return _cut(walk, match.start())
    walk.stop, walk.stopped_at = run, match.start()
    return match.end()


def _dollar(walk: Walk, match: re.Match[str]) -> int:
    at, text = match.start(), walk.text
    end = formulas.inline_end(text, at)
    if end > 0:
        return _complete(walk, at, end)
    double = text.startswith("$$", at)
    if at + 1 == len(text):
        return _cut(walk, at)
    if len(text) - at > FAR or not (double or formulas.may_open_dollar(text, at)):
        return match.end()
    if _WORDS_AFTER_DOLLAR.match(text, at):
        walk.open.append(Opening(at, ""))
        return match.end()
    return _literal(walk, at)


def _bracket(walk: Walk, match: re.Match[str]) -> int:
    if match.group() == "!":
        return _cut(walk, match.start())
    if len(walk.text) - match.start() <= FAR:
        walk.open.append(Opening(match.start(), match.group()))
    return match.end()


def _bracket_end(walk: Walk, match: re.Match[str]) -> int:
    at = next((i for i in range(len(walk.open) - 1, -1, -1) if "[" in walk.open[i].mark), -1)
    if at < 0:
        return match.end()
    text, end = walk.text, match.end()
    if whole := _DESTINATION.match(text, end):
        begin = walk.open[at].at
        del walk.open[at:]
        return _complete(walk, begin, whole.end())
    if end == len(text) or _HALF_DESTINATION.match(text, end):
        walk.hidden.append((match.start(), len(text)))
        walk.end, walk.stop, walk.stopped_at = match.start(), "link", walk.open[at].at
        return len(text)
    del walk.open[at]
    return end


def _run(walk: Walk, match: re.Match[str]) -> int:
    text, run = walk.text, match.group()
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    opens, closes = _flanks(run[0], before, after)
    left = len(run)
    if closes:
        left = _close(walk, run[0], left, match.end())
    if left and not after:
        walk.hidden.append((match.end() - left, match.end()))
        walk.open.append(Opening(match.end() - left, ""))
    elif left and opens:
        walk.open.append(Opening(match.end() - left, run[0] * left))
    return match.end()


def _flanks(mark: str, before: str, after: str) -> tuple[bool, bool]:
    left = bool(after) and not after.isspace() and (_is_word(after) or not before or not _is_word(before))
    right = bool(before) and not before.isspace() and (_is_word(before) or not after or not _is_word(after))
    if mark == "_":
        return left and not _is_word(before), right and not _is_word(after)
    return left, right


def _is_word(character: str) -> bool:
    return bool(character) and (character.isalnum() or ord(character) > 0x2FFF)


def _close(walk: Walk, mark: str, left: int, end: int) -> int:
    """Match a closing run against what is open; the number of marks left over."""
    while left:
        at = next((i for i in range(len(walk.open) - 1, -1, -1) if walk.open[i].mark.startswith(mark)), -1)
        if at < 0:
            return left
        opening = walk.open[at]
        del walk.open[at + 1 :]
        used = min(left, len(opening.mark))
        walk.whole.append((opening.at, end))
        if used == len(opening.mark):
            walk.open.pop()
        elif walk.text.endswith(mark * left) and len(opening.mark) == 2 and left == 1:
            return left  # half of a closing "**": the other half is on its way
        else:
            opening.mark = opening.mark[used:]
        left -= used
    return 0


def _angle(walk: Walk, match: re.Match[str]) -> int:
    if whole := _AUTOLINK.match(walk.text, match.start()):
        return _complete(walk, match.start(), whole.end())
    return _cut(walk, match.start()) if _HALF_AUTOLINK.match(walk.text, match.start()) else match.end()


def _complete(walk: Walk, start: int, end: int) -> int:
    walk.whole.append((start, end))
    return end


def _entity(walk: Walk, match: re.Match[str]) -> int:
    return _cut(walk, match.start())


def _cut(walk: Walk, at: int) -> int:
    """Show nothing of what starts here until it is clear what it is."""
    walk.end, walk.stop, walk.stopped_at = at, "cut", at
    return len(walk.text)


def _literal(walk: Walk, at: int) -> int:
    walk.end, walk.stop, walk.stopped_at = at, "literal", at
    return len(walk.text)


_HANDLERS = {
    "\\": _escape,
    "`": _backticks,
    "$": _dollar,
    "!": _bracket,
    "[": _bracket,
    "]": _bracket_end,
    "*": _run,
    "_": _run,
    "~": _run,
    "<": _angle,
    "&": _entity,
}

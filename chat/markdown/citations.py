"""Marks like ``[1]`` or ``[1, 3]`` in an answer, as links to the sources that have these numbers.

A rule over finished tokens, so that code, formulas, links and what Markdown makes of brackets itself stay as they
are. A mark none of whose numbers is known stays text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from chat.markdown import labels, links

#: [1], [1, 3], [2][4], also with the brackets of Chinese and Japanese.
_MARK = re.compile(r"[\[【]\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*[\]】](?!\()")
_NUMBER = re.compile(r"\d+")
#: Marks of direction (Unicode Standard Annex 9), and controls that are no white space.
_TURNING = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
#: Characters of a source's name in a link; the title of a page may be of any length.
_LONGEST = 200
#: Where the parser finds the sources, in the environment of one text.
ENV = "citations"


@dataclass(frozen=True, slots=True, order=True)
class Citation:
    """What a number stands for. ``label`` is its name, of any origin; ``inside``: an address of this hub."""

    url: str
    label: str
    inside: bool = False

    @property
    def is_safe(self) -> bool:
        """Whether the address may be linked."""
        if self.inside:
            return self.url.startswith("/") and not self.url.startswith("//")
        return links.is_safe(self.url)

    @property
    def name(self) -> str:
        """The label as one short line."""
        return as_line(self.label)


Citations = Mapping[int, Citation]


def as_line(label: str) -> str:
    """A name of any origin as one short line; without marks of direction, which turn round what stands beside it."""
    line = " ".join(_TURNING.sub("", label).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def numbers_in(text: str) -> set[int]:
    """The numbers that a text names."""
    return {int(number) for mark in _MARK.findall(text) for number in _NUMBER.findall(mark)}


def plugin(md: MarkdownIt) -> None:
    """Before neighbouring texts are joined: an escaped bracket can still be told from one that is meant."""
    md.core.ruler.before("inline", "citation_definitions", _without_definitions)
    md.core.ruler.before("text_join", "citation", _rule)


def html(mark: str, citations: Citations) -> str:
    """A mark with its known numbers as links. It is copied as it was written."""
    numbers = _NUMBER.findall(mark)
    if len(numbers) == 1:
        inside = _link(int(numbers[0]), mark, citations)
    else:
        inside = _NUMBER.sub(lambda number: _link(int(number[0]), number[0], citations), mark)
    return f'<sup class="cite">{inside}</sup>'


def _link(number: int, shown: str, citations: Citations) -> str:
    citation = citations.get(number)
    if citation is None or not citation.is_safe:
        return shown
    name = escapeHtml(labels.source(number, citation.name))
    rel = "noopener" if citation.inside else links.REL
    return (
        f'<a href="{escapeHtml(citation.url)}" title="{name}" aria-label="{name}" rel="{rel}"'
        f' target="_blank">{shown}</a>'
    )


def _without_definitions(state: StateCore) -> None:
    """Forget what a model says that its numbers are (``[1]: https://…``): the hub knows what they are."""
    definitions = state.env.get("references", {})
    for number in _known(state):
        definitions.pop(str(number), None)


def _known(state: StateCore) -> set[int]:
    citations: Citations = state.env.get(ENV) or {}
    return {number for number, citation in citations.items() if citation.is_safe}


def _rule(state: StateCore) -> None:
    known = _known(state)
    if not known:
        return
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = _with_marks(token.children, known)


def _with_marks(tokens: list[Token], known: set[int]) -> list[Token]:
    """The parts of a paragraph, neighbouring texts outside of links looked at as one."""
    found: list[Token] = []
    texts: list[Token] = []
    depth = 0
    for token in tokens:
        if token.type == "text" and not depth:
            texts.append(token)
            continue
        found += _split(texts, known)
        texts = []
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        found.append(token)
    return found + _split(texts, known)


def _split(texts: list[Token], known: set[int]) -> list[Token]:
    """A run of text as text and marks; as it was where there are none."""
    whole = "".join(token.content for token in texts)
    marks = [mark for mark in _MARK.finditer(whole) if not known.isdisjoint(numbers_in(mark[0]))]
    if not marks:
        return texts
    found: list[Token] = []
    end = 0
    for mark in marks:
        found += [_token("text", whole[end : mark.start()], texts[0]), _token(ENV, mark[0], texts[0])]
        end = mark.end()
    return [*found, _token("text", whole[end:], texts[0])]


def _token(kind: str, content: str, like: Token) -> Token:
    values: dict[str, Any] = {"content": content, "level": like.level}
    return Token(kind, "", 0, **values)

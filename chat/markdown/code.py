"""Code blocks: a figure with a name, a copy button and Pygments' classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from markdown_it.common.utils import escapeHtml
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType
from pygments.util import ClassNotFound

from chat.markdown import labels

# Beyond this the colours cost more than they tell; the text is shown plain.
MAX_HIGHLIGHTED = 100_000
_MAX_LINE = 2_000
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,32}\Z")
# Names and brackets are most of a program and look like its text: no element for them.
_UNSTYLED = frozenset({"", "n", "p", "w"})


def language_of(info: str) -> str:
    """The first word behind the fence, when it can be the name of a language."""
    word = info.strip().split(maxsplit=1)[0] if info.strip() else ""
    word = word.strip("{}").removeprefix(".").lower()
    return word if _LANGUAGE.match(word) else ""


@lru_cache(maxsize=256)
def lexer_for(language: str) -> Lexer | None:
    """None for an unknown or plain language."""
    if language in ("", "text", "plain", "plaintext", "txt", "none"):
        return None
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def highlight(text: str, lexer: Lexer | None) -> str:
    if lexer is None or len(text) > MAX_HIGHLIGHTED:
        return escapeHtml(text)
    return "".join(_spans(text, lexer))


def highlight_line(line: str, lexer: Lexer | None) -> str:
    """One line on its own: right for most lines, and corrected when the whole block is known."""
    return escapeHtml(line) if len(line) > _MAX_LINE else highlight(line, lexer)


def figure(language: str, body: str) -> str:
    return f"{figure_open(language)}{body}{FIGURE_CLOSE}"


def figure_open(language: str, ids: tuple[str, str] | None = None) -> str:
    """`ids` name the figure and the code element inside, while the block is still growing."""
    outer, inner = (f' id="{ids[0]}"', f' id="{ids[1]}"') if ids else ("", "")
    named = f' data-language="{escapeHtml(language)}"' if language else ""
    return (
        f'<figure class="code"{named}{outer}><figcaption>'
        f'<span class="code-language">{escapeHtml(_title(language))}</span>'
        '<button type="button" class="code-copy" data-action="copy-code"'
        f' aria-label="{escapeHtml(labels.copy_code())}">{escapeHtml(labels.copy())}</button></figcaption>'
        f'<pre tabindex="0" dir="ltr"><code{inner}>'
    )


FIGURE_CLOSE = "</code></pre></figure>"


def _title(language: str) -> str:
    lexer = lexer_for(language)
    return lexer.name if lexer else language or labels.plain_text()


def _spans(text: str, lexer: Lexer) -> Iterator[str]:
    for name, group in groupby(lexer.get_tokens(text), key=lambda token: _class_of(token[0])):
        words = escapeHtml("".join(value for _, value in group))
        yield words if name in _UNSTYLED else f'<span class="{name}">{words}</span>'


@lru_cache(maxsize=512)
def _class_of(kind: _TokenType) -> str:
    while kind not in STANDARD_TYPES and kind.parent is not None:
        kind = kind.parent
    return STANDARD_TYPES[kind]

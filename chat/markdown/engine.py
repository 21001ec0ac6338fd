"""markdown-it, set up once: no HTML from the text, compact output, our links, code and formulas."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml, unescapeAll
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from chat.markdown import citations, code, formulas, links, math

escape = escapeHtml
Env = MutableMapping[str, Any]

# Each level costs a few Python frames; no honest answer nests deeper.
MAX_NESTING = 60
_DIRECTED = frozenset({"p", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "th", "td"})
_DIRECTION = ' dir="auto"'
_ALIGN = {
    "text-align:left": "align-left",
    "text-align:center": "align-center",
    "text-align:right": "align-right",
}


def blocks(text: str, env: Env) -> str:
    """The HTML of whole blocks; `env` carries the link definitions seen so far."""
    return str(_ANSWER.render(text, env))


def inline(text: str, env: Env) -> str:
    """The HTML of one paragraph's inside."""
    return str(_ANSWER.renderInline(text, env))


def user_blocks(text: str) -> str:
    """What a person typed: every line break counts."""
    return str(_USER.render(text, {}))


def heading_tag(level: int) -> str:
    """Headings of an answer stand below those of the page."""
    return f"h{min(level + 2, 6)}"


class Renderer(RendererHTML):
    """markdown-it's renderer without its line ends between blocks, so that a stream can match it exactly."""

    def renderToken(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: N802
        token = tokens[idx]
        if token.hidden:
            return ""
        tag = heading_tag(int(token.tag[1])) if token.type.startswith("heading") else token.tag
        if token.nesting < 0:
            return f"</{tag}>"
        return f"<{tag}{self.renderAttrs(token)}{_DIRECTION if tag in _DIRECTED else ''}>"

    @staticmethod
    def renderAttrs(token: Token) -> str:  # noqa: N802
        """No inline styles (the page's policy forbids them) and no class that depends on a list's later items."""
        attributes = ""
        for name, value in token.attrItems():
            if name == "style":
                attributes += f' class="{_ALIGN[str(value)]}"'
            elif value != "contains-task-list":
                attributes += f' {escapeHtml(name)}="{escapeHtml(str(value))}"'
        return attributes

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return code_block(unescapeAll(tokens[idx].info), tokens[idx].content)

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return code_block("", tokens[idx].content)

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        return links.open_tag(str(token.attrs.get("href", "")), str(token.attrs.get("title", "")))

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        alt = self.renderInlineAsText(token.children, options, env)
        return links.image(str(token.attrs.get("src", "")), alt, str(token.attrs.get("title", "")))

    def formula(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return math.to_html(tokens[idx].content, bool(tokens[idx].meta["display"]))

    def formula_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return formula_block(tokens[idx].content)

    def citations(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return citations.html(tokens[idx].content, env[citations.ENV])

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return TABLE_OPEN

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return TABLE_CLOSE


TABLE_OPEN = '<div class="table-scroll" tabindex="0"><table>'
TABLE_CLOSE = "</table></div>"


def code_block(info: str, text: str) -> str:
    language = code.language_of(info)
    return code.figure(language, code.highlight(text, code.lexer_for(language)))


def formula_block(latex: str) -> str:
    return f'<p class="formula">{math.to_html(latex, True)}</p>'


def _parser(*, breaks: bool) -> MarkdownIt:
    options = {"html": False, "linkify": True, "breaks": breaks, "maxNesting": MAX_NESTING, "tasklists": True}
    md = MarkdownIt("commonmark", {**options, "xhtmlOut": False}, renderer_cls=Renderer)
    md.enable(["table", "strikethrough", "linkify"])
    md.disable(["html_block", "html_inline"])
    md.linkify = links.Finder()
    md.validateLink = links.is_safe  # type: ignore[method-assign]
    md.use(formulas.plugin)
    md.use(citations.plugin)
    return md


_ANSWER = _parser(breaks=False)
_USER = _parser(breaks=True)

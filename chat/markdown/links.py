"""Which addresses an answer may link to, and how links and images are written.

A model's words are not trusted: a link opens elsewhere, says nothing about this page, and never carries a scheme
that runs code. An image from elsewhere tells its server who reads the answer and when, so it waits for a click.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from linkify_it import LinkifyIt
from markdown_it.common.utils import escapeHtml

from chat.markdown import labels

REL = "noopener noreferrer nofollow"
# Relative addresses are refused too: "/logout" in an answer would act on this hub.
_SAFE = re.compile(r"(?:https?://[^/\s]|mailto:[^/\s])", re.IGNORECASE)
# The least that an e-mail address has behind its "@".
_MAIL = re.compile(r"@[^\s@]*\.(?:xn--|[^\W\d_]{2})", re.IGNORECASE)
# Browsers drop these inside an address, which turns "java\nscript:" into something else than it seems.
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\\]")


class Finder(LinkifyIt):  # type: ignore[misc]
    """Finds bare addresses. linkify's own first look takes as long as its search, so a quicker one comes before it."""

    def __init__(self) -> None:
        super().__init__()
        # Else "manage.py" and "main.rs" become addresses in Paraguay and Serbia.
        self.set({"fuzzy_link": False})

    def pretest(self, text: str) -> bool:
        """Whether there may be an address; sometimes wrongly so, never wrongly not."""
        return ":" in text or "//" in text or bool(_MAIL.search(text))

    def test(self, text: str) -> bool:
        """Whether there is one."""
        return self.pretest(text) and bool(super().test(text))


def is_safe(url: str) -> bool:
    return bool(_SAFE.match(url)) and not _CONTROL.search(url)


def open_tag(href: str, title: str = "") -> str:
    name = f' title="{escapeHtml(title)}"' if title else ""
    return f'<a href="{escapeHtml(href)}"{name} rel="{REL}" target="_blank">'


def image(source: str, alt: str, title: str = "") -> str:
    """A link that a script may turn into the picture; without the script it opens the picture in a tab."""
    if not source.lower().startswith("http"):
        return escapeHtml(alt)
    name = f' title="{escapeHtml(title)}"' if title else ""
    url = escapeHtml(source)
    return (
        f'<a class="remote-image" data-action="show-image" data-image-src="{url}" data-image-alt="{escapeHtml(alt)}"'
        f' href="{url}"{name} rel="{REL}" target="_blank">{escapeHtml(_caption(source, alt))}</a>'
    )


def _caption(source: str, alt: str) -> str:
    shown = labels.show_image(_host(source))
    return f"{shown}: {alt}" if alt else shown


def _host(source: str) -> str:
    try:
        return urlsplit(source).hostname or ""
    except ValueError:
        return ""

"""The few words that rendered Markdown shows of its own, in the reader's language."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext


def copy() -> str:
    return _translated("Copy")


def copy_code() -> str:
    return _translated("Copy this code")


def show_image(host: str) -> str:
    return _translated("Show image from %(host)s") % {"host": host}


def source(number: int, name: str) -> str:
    return _translated("Source %(number)d: %(name)s") % {"number": number, "name": name}


def plain_text() -> str:
    return _translated("Text")


def _translated(words: str) -> str:
    """The parser also works where nobody configured Django: a script, a benchmark."""
    return gettext(words) if settings.configured else words

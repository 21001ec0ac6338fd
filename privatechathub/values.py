"""Values that an owner typed: each is checked, and a wrong one is named with what would be right."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

SWITCH = {
    **dict.fromkeys(("on", "true", "yes", "1"), True),
    **dict.fromkeys(("off", "false", "no", "0"), False),
}


class BadValue(ImproperlyConfigured):
    """A value that cannot be used. The text is a sentence for the owner and holds no secret."""


def switch(name: str, text: str, default: bool) -> bool:
    """On or off. Raises BadValue."""
    if not text:
        return default
    if text.lower() not in SWITCH:
        raise BadValue(f"{name} is {text!r}, but must be on or off.")
    return SWITCH[text.lower()]


def port(name: str, text: str, default: int) -> int:
    """A TCP port. Raises BadValue."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise BadValue(f"{name} is {text!r}, but must be a number from 1 to 65535.")
    return int(text)


def words(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def commands(name: str, text: str) -> dict[str, tuple[str, ...]]:
    """Programs by a word for each: ``word=/path/to/program first second; other=…``. Raises BadValue."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in filter(None, map(str.strip, text.split(";"))):
        key, _equals, line = entry.partition("=")
        try:
            argv = tuple(shlex.split(line))
        except ValueError:
            argv = ()
        if not (argv and key.strip().isidentifier()):
            raise BadValue(
                f"{name} must look like files=/usr/bin/mcp-files --read-only; other=/usr/bin/other."
            )
        found[key.strip()] = argv
    return found


def address(name: str, text: str, *examples: str) -> str:
    """A URL with the scheme of one of the examples, or nothing. Raises BadValue."""
    try:
        parts = urlsplit(text)
        known = parts.scheme in {urlsplit(example).scheme for example in examples} and parts.port != 0
    except ValueError:
        known = False
    if text and not known:
        raise BadValue(f"{name} must look like {' or '.join(examples)}.")
    return text


def time_zone(name: str, text: str) -> str:
    """An IANA name, or nothing. Raises BadValue."""
    try:
        return ZoneInfo(text).key if text else ""
    except (OSError, ValueError, KeyError):
        raise BadValue(
            f"{name} is {text!r}, but must be the name of a time zone like Europe/Berlin."
        ) from None


def content(name: str, path: str) -> str:
    """What stands in the file, without white space around it. Raises BadValue."""
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise BadValue(f"{name} is {path}, but that file cannot be read: {reason}.") from None


def folder(name: str, path: Path) -> Path:
    """The folder, made where it is missing, for its owner alone. Raises BadValue."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadValue(f"{name} is {path}, but that folder cannot be made: {error.strerror}.") from None
    return path

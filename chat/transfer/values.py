"""Values of a file that nobody vouches for, as the database takes them. None of these raises."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from backends.adapters.messages import Reasoning, SamplingOptions
from chat.generation.texts import clean
from chat.models import TAG_LENGTH
from chat.transfer.portable import unified

#: Characters of one message; one that a person can send has at most 1,500,000.
LONGEST_TEXT = 4_000_000
#: The largest number of a PositiveIntegerField.
LARGEST = 2**31 - 1
#: Levels of a JSON value that is kept as it is.
DEEPEST = 8
#: The same for arguments of a tool and for what it takes: a model is told them again.
DEEPEST_ARGUMENTS = 60

#: Characters of one question, and questions of one conversation that wait.
LONGEST_QUESTION = 1_500_000
MOST_UPCOMING = 20

#: Tools of which a file says whether they are on.
MOST_SWITCHES = 500

#: Tags of one conversation.
MOST_TAGS = 20

#: Sampling options that a person can see and change again.
OPTIONS = frozenset(SamplingOptions.__slots__)

Reader = Callable[[Any], Any]

_DIGEST = re.compile("[0-9a-f]{64}")


def text(value: Any, length: int = LONGEST_TEXT) -> str:
    """At most that many characters of a text, with line ends as the hub has them."""
    return unified(exact(value, length))


def exact(value: Any, length: int = LONGEST_TEXT) -> str:
    """The same with its line ends as they are: what digests were made of stays what it was."""
    return clean(value[:length]) if isinstance(value, str) else ""


def name(value: Any, length: int = 250) -> str:
    """A text of one line."""
    return " ".join(text(value, length * 4).split())[:length]


def tags(value: Any) -> tuple[str, ...]:
    """Names of tags, each once whatever its case."""
    found: dict[str, str] = {}
    for item in sequence(value):
        bare = name(item.replace(",", " ")).lstrip("# ") if isinstance(item, str) else ""
        if tag := bare[:TAG_LENGTH].strip():
            found.setdefault(tag.casefold(), tag)
    return tuple(found.values())[:MOST_TAGS]


def mapping(value: Any) -> dict[str, Any]:
    """An object, empty where it is anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """A list, empty where it is anything else."""
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [item for item in sequence(value) if isinstance(item, dict)]


def whole(value: Any) -> int | None:
    """A number from 0 that fits its column."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
    return value if fits else None


def whole_large(value: Any) -> bool:
    """Whether it is a number from 1 that JSON readers everywhere keep: bytes of a model, say."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def small(value: Any) -> int:
    """A number that fits a PositiveSmallIntegerField, 0 where it is anything else."""
    found = whole(value) or 0
    return found if found < 2**15 else 0


def real(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def moment(value: Any) -> datetime | None:
    """A point in time from ISO 8601 or Unix time (seconds, milliseconds, micro- or nanoseconds)."""
    found = _from_text(value) if isinstance(value, str) else _from_number(real(value))
    return found if found is not None and 1970 <= found.year < 2200 else None


def since(flag: Any, value: Any) -> datetime | None:
    """The moment from which a mark holds that a file only says is there; None where it is not."""
    return (moment(value) or timezone.now()) if flag is True or flag == 1 else None


def _from_text(value: str) -> datetime | None:
    try:
        found = parse_datetime(value[:40])
        if found is None:
            return None
        return (timezone.make_aware(found) if timezone.is_naive(found) else found).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_number(value: float | None) -> datetime | None:
    if value is None or value <= 0:
        return None
    while value > 1e11:  # the year 5138 in seconds
        value /= 1000
    return datetime.fromtimestamp(value, UTC)


def stored(value: Any, depth: int = DEEPEST) -> Any:
    """A JSON value as a column keeps it: clean texts, finite numbers, no deeper than that."""
    match value:
        case str():
            return exact(value)
        case bool() | None:
            return value
        case int():
            return value if abs(value) <= 2**63 else None
        case float():
            return real(value)
        case dict() if depth:
            return {text(key, 200): stored(item, depth - 1) for key, item in value.items()}
        case list() if depth:
            return [stored(item, depth - 1) for item in value]
        case _:
            return None


def stored_object(value: Any) -> dict[str, Any]:
    """The same for a column that holds an object."""
    return stored(mapping(value))  # type: ignore[no-any-return]


def details(value: Any) -> dict[str, Any]:
    """What a server told of an answer: plain values, and ``headers`` by name."""
    found = stored_object(value)
    if not isinstance(found.get("headers", {}), dict):
        del found["headers"]
    return found


def sources(value: Any) -> list[dict[str, Any]]:
    """Web pages that a tool names; an address of any other kind than http would become a link."""
    return [
        {key: text(item.get(key), 2000) for key in ("url", "title", "site")} | _number(item)
        for item in objects(value)
        if text(item.get("url")).startswith(("http://", "https://"))
    ]


def _number(item: dict[str, Any]) -> dict[str, int]:
    """By which a model was told of it, where there is one."""
    number = small(item.get("number"))
    return {"number": number} if number else {}


def calls(value: Any) -> list[dict[str, Any]]:
    """The calls of one round of a tool loop, as ``Step`` has them."""
    return [_call(item) for item in objects(value)]


def _call(item: dict[str, Any]) -> dict[str, Any]:
    found = {
        "id": exact(item.get("id"), 10_000),
        "name": exact(item.get("name"), 200),
        "arguments": stored(mapping(item.get("arguments")), DEEPEST_ARGUMENTS),
        "content": exact(item.get("content")),
        "is_error": item.get("is_error") is True,
    }
    images = [image for image in map(_image, objects(item.get("images"))) if image]
    return found | ({"images": images} if images else {})


def _image(item: dict[str, Any]) -> dict[str, str] | None:
    media_type, data = text(item.get("media_type"), 100), item.get("data")
    try:
        b64decode(data if isinstance(data, str) else "-", validate=True)
    except ValueError:
        return None
    return {"media_type": media_type, "data": str(data)} if media_type.startswith("image/") else None


def is_digest(value: Any) -> bool:
    """Whether it is a SHA-256 as hexadecimal digits."""
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value))


def one_of(words: Iterable[str], otherwise: str = "") -> Reader:
    """A reader of one of these words."""
    known = {str(word) for word in words}
    return lambda value: value if isinstance(value, str) and value in known else otherwise


def options(value: Any) -> dict[str, Any]:
    """Sampling options that the hub knows, each with a value of its kind."""
    found: dict[str, Any] = {}
    for key, item in mapping(value).items():
        if key in OPTIONS and (kept := _option(key, item)) is not None:
            found[key] = kept
    return found


def _option(key: str, value: Any) -> Any:
    if key == "stop":
        return [exact(word, 200) for word in sequence(value) if isinstance(word, str) and word][:16] or None
    if key == "reasoning":
        return value if isinstance(value, str) and value in set(Reasoning) else None
    if key in ("top_k", "max_tokens", "seed", "context_length"):
        return (
            value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else None
        )
    number = real(value)
    # 1 and 1.0 are two things to a digest.
    return value if number is not None and isinstance(value, int) and abs(value) < 2**53 else number


def switches(value: Any) -> dict[str, bool]:
    """Which tools are on, by name."""
    found = {text(key, 200): item for key, item in mapping(value).items() if isinstance(item, bool)}
    return dict(list(found.items())[:MOST_SWITCHES])


def zone(value: Any) -> str:
    """The name of a time zone that this computer knows."""
    return value if isinstance(value, str) and value in available_timezones() else ""


def uuid(value: Any) -> str:
    """A UUID in its one spelling, empty where it is anything else."""
    try:
        return str(UUID(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def renamed(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Another program's options by our names."""
    return {ours: value[theirs] for theirs, ours in names.items() if theirs in value}

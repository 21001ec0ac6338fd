"""Places in a prompt that are filled before it is sent.

``{{date}}`` is filled by the hub, one of ``chat.prompts.builtin``. ``{{topic:text}}`` is asked of the person; then
``{{topic}}`` stands for the same answer elsewhere in the text. The kinds::

    {{topic:text}}              one line; with an answer to begin with: {{topic:text=tides}}
    {{rules:lines}}             several lines
    {{count:number}}            a number, {{count:number=3}}
    {{day:date}}                a date, {{day:date=2026-05-01}}
    {{language:choice:German|English}}   one of these, the first to begin with

A name begins with a letter and goes on with letters, digits, ``_`` and ``-``. Everything else between braces stays
as it is, and so does a place with a backslash before it. What is filled in is text and nothing more: it is not
looked through for places again, and nothing in it is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

#: Characters of an answer of several lines, and of one line.
LONGEST_LINES, LONGEST_LINE = 20_000, 500
#: Variables that one text can ask for.
MOST = 20

_PLACE = re.compile(r"(\\?)\{\{([^{}]{1,1000})\}\}")
_NAME = re.compile(r"[^\W\d_][\w-]{0,39}")
_NUMBER = re.compile(r"-?[0-9]{1,20}([.,][0-9]{1,20})?")


class Kind(StrEnum):
    """What can be asked for."""

    TEXT = "text"
    LINES = "lines"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Variable:
    """Something that a text asks for. ``default`` is what it is without an answer, empty for none."""

    name: str
    kind: Kind
    default: str = ""
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name as a question."""
        words = self.name.replace("_", " ").replace("-", " ").strip()
        return words[:1].upper() + words[1:]

    def accepts(self, value: str) -> bool:
        """Whether that can be its answer."""
        match self.kind:
            case Kind.CHOICE:
                return value in self.choices
            case Kind.NUMBER:
                return _NUMBER.fullmatch(value) is not None
            case Kind.DATE:
                return _is_date(value)
            case Kind.LINES:
                return len(value) <= LONGEST_LINES
            case Kind.TEXT:
                return len(value) <= LONGEST_LINE and "\n" not in value


def asked(text: str) -> tuple[Variable, ...]:
    """What a text asks of a person, in its order. Where a name is declared twice, the first one counts."""
    found: dict[str, Variable] = {}
    for match in _places(text):
        variable = None if match[1] else declared(match[2])
        if variable and len(found) < MOST:
            found.setdefault(variable.name, variable)
    return tuple(found.values())


def filled(text: str, answers: Mapping[str, object], known: Mapping[str, str]) -> str:
    """The text with its places filled: from the answers, or else from what is known anyway."""
    values = dict(known)
    for variable in asked(text):
        values.pop(variable.name, None)
        if value := answer_of(variable, answers):
            values[variable.name] = value

    def fill(match: re.Match[str]) -> str:
        name = _name_in(match[2])
        if name not in values:
            return match[0]
        return match[0][1:] if match[1] else values[name]

    return _PLACE.sub(fill, text)


def answer_of(variable: Variable, answers: Mapping[str, object]) -> str:
    """The answer where it is one, else the default; empty where there is neither."""
    given = str(answers.get(variable.name, "") or "")
    return given if given and variable.accepts(given) else variable.default


def declared(place: str) -> Variable | None:
    """What stands between the braces as a variable that is asked for; None where it is none."""
    head, colon, rest = place.partition(":")
    name = head.strip()
    if not colon or not _NAME.fullmatch(name):
        return None
    if rest.lstrip().startswith(f"{Kind.CHOICE}:"):
        choices = tuple(filter(None, map(str.strip, rest.partition(":")[2].split("|"))))
        return Variable(name, Kind.CHOICE, choices[0], tuple(dict.fromkeys(choices))) if choices else None
    kind, _sign, default = rest.partition("=")
    try:
        variable = Variable(name, Kind(kind.strip()), default.strip())
    except ValueError:
        return None
    fits = variable.kind is not Kind.CHOICE and (not variable.default or variable.accepts(variable.default))
    return variable if fits else None


def _name_in(place: str) -> str:
    """The variable that a place stands for, whether it declares it or only names it."""
    variable = declared(place)
    return variable.name if variable else place.strip()


def _places(text: str) -> Iterator[re.Match[str]]:
    return _PLACE.finditer(text) if "{{" in text else iter(())


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == len("2026-01-31")

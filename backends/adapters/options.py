"""What can be set for one server beyond its address: each adapter lists what it understands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backends.adapters.errors import gettext_noop

#: Characters of a value that is typed.
MAX_VALUE = 500


class OptionType(StrEnum):
    """What its value is. All values are kept and handed over as text."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of an endpoint. Not set, an adapter does as it does by itself.

    ``label``, ``help`` and ``unset`` (a choice's word for that) are English here and are translated
    where they are shown. ``choices``: value -> label. ``pattern`` is what a text must match as a whole,
    ``minimum`` the least whole number.
    """

    name: str
    label: str
    help: str = ""
    type: OptionType = OptionType.TEXT
    choices: tuple[tuple[str, str], ...] = ()
    unset: str = gettext_noop("As usual")
    pattern: str = r"[^\x00-\x1f\x7f]+"
    minimum: int = 0

    def accepts(self, value: str) -> bool:
        """Whether the value can be one of this option."""
        if len(value) > MAX_VALUE:
            return False
        match self.type:
            case OptionType.CHOICE:
                return value in dict(self.choices)
            case OptionType.NUMBER:
                return bool(re.fullmatch(r"[0-9]{1,9}", value)) and int(value) >= self.minimum
            case OptionType.TEXT:
                return re.fullmatch(self.pattern, value) is not None


def choice(name: str, label: str, choices: Mapping[str, str], *, unset: str, help: str = "") -> Option:  # noqa: A002
    """An option with a few values."""
    return Option(name, label, help, OptionType.CHOICE, tuple(choices.items()), unset)


def together(*groups: Iterable[Option]) -> tuple[Option, ...]:
    """The options of several adapters as one list, each name once."""
    return tuple({option.name: option for group in groups for option in group}.values())

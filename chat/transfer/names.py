"""File names that every system takes and that lead nowhere else."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 80
#: Names of devices on Windows, whatever their ending.
_DEVICES = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)$")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\s]+')


def file_stem(title: str, otherwise: str) -> str:
    """A title as the name of a file, without its ending."""
    shown = "".join(sign for sign in unicodedata.normalize("NFC", title) if _is_harmless(sign))
    stem = _FORBIDDEN.sub(" ", shown).strip(" .")[:LONGEST].strip(" .")
    return otherwise if not stem or _DEVICES.match(stem) else stem


def _is_harmless(sign: str) -> bool:
    """Neither a control sign nor one that turns the direction of what follows."""
    return sign in " \t\n" or unicodedata.category(sign)[0] != "C"


class Names:
    """Gives each title a name of its own; letters of either case are one, as on many disks."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def unused(self, title: str, otherwise: str) -> str:
        """The stem, numbered from the second time on."""
        stem = file_stem(title, otherwise)
        while True:
            count = self._given[stem.casefold()] = self._given.get(stem.casefold(), 0) + 1
            if count == 1:
                return stem
            numbered = f"{stem} ({count})"
            if numbered.casefold() not in self._given:
                self._given[numbered.casefold()] = 1
                return numbered

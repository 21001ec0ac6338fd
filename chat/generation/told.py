"""What a model was given of long documents, as its generation keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Passage:
    """Characters ``start`` to ``end`` of the text of a file. ``place``: see ``chat.passages.cutting.Span``."""

    file: UUID
    name: str
    place: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Told:
    """``partly``: the files, by name, that were not sent whole. ``passages`` of them were, numbered from 1."""

    partly: dict[UUID, str] = field(default_factory=dict)
    passages: list[Passage] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.partly)

    def values(self) -> dict[str, Any]:
        """As ``Generation.passages`` has it; empty where everything was sent whole."""
        if not self:
            return {}
        found = [
            {"file": str(passage.file), "place": passage.place, "start": passage.start, "end": passage.end}
            for passage in self.passages
        ]
        return {"files": {str(key): name for key, name in self.partly.items()}, "passages": found}

    def joined(self, later: Told) -> Told:
        """What was given of these documents and of later ones."""
        return Told(self.partly | later.partly, [*self.passages, *later.passages]) if self or later else self

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """What :meth:`values` made."""
        partly = {UUID(key): name for key, name in values.get("files", {}).items()}
        told = cls(partly)
        for found in values.get("passages", ()):
            file = UUID(found["file"])
            told.passages.append(Passage(file, partly[file], found["place"], found["start"], found["end"]))
        return told


#: Nothing was left out.
WHOLE = Told()

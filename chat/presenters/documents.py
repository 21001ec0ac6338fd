"""Files of a question, and what an answer rests on of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file that came with a question. ``width`` and ``height`` are those of an image's thumbnail, in pixels.

    A document has no thumbnail: ``url`` shows its text, ``file_url`` saves the file itself, ``size`` says how large.
    """

    name: str
    url: str
    thumbnail_url: str = ""
    width: int = 0
    height: int = 0
    file_url: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage of a document that the model was sent. ``cited``: the answer names its number.

    ``place`` is where it stands, for example ``p. 12``; empty where nobody knows.
    """

    number: int
    name: str
    place: str
    url: str
    cited: bool

    @property
    def label(self) -> str:
        """The document and the place."""
        return f"{self.name} {self.place}".rstrip()


@dataclass(frozen=True, slots=True)
class ExcerptsView:
    """What an answer rests on of documents that were too long; ``sentence`` says which they are.

    ``many``: they are more than one, so that a place alone does not say enough.
    """

    sentence: str
    many: bool
    passages: tuple[PassageView, ...]

    @property
    def cited(self) -> tuple[PassageView, ...]:
        """Those that the answer names."""
        return tuple(passage for passage in self.passages if passage.cited)

"""The passages under an answer: what it could rest on, and what it names."""

from __future__ import annotations

from collections.abc import Container

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chat.generation.told import Passage, Told
from chat.markdown import numbers_in
from chat.models import Generation
from chat.presenters.documents import ExcerptsView, PassageView


def excerpts_view(generation: Generation, text: str) -> ExcerptsView | None:
    """None where every document was sent whole, or while the answer is being written. No query."""
    if not generation.passages or generation.is_active:
        return None
    told = Told.of(generation.passages)
    named = numbers_in(text)
    return ExcerptsView(
        sentence=sentence(told),
        many=len(told.partly) > 1,
        passages=passage_views(told, named),
    )


def passage_views(told: Told, named: Container[int] = ()) -> tuple[PassageView, ...]:
    """What was sent, numbered as the model read it."""
    return tuple(
        PassageView(number, passage.name, place_in_words(passage.place), url_of(passage), number in named)
        for number, passage in enumerate(told.passages, 1)
    )


def sentence(told: Told) -> str:
    """What was not sent whole."""
    names = ", ".join(f"“{name}”" for name in told.partly.values())
    count = len(told.passages)
    return ngettext(
        "Too long for the model’s window: %(names)s. %(count)d passage was sent, not the whole.",
        "Too long for the model’s window: %(names)s. %(count)d passages were sent, not the whole.",
        count,
    ) % {"names": names, "count": count}


def place_in_words(place: str) -> str:
    """Where a passage stands in its document."""
    unit, _colon, name = place.partition(":")
    return {
        "page": _("p. %(name)s"),
        "slide": _("slide %(name)s"),
        "sheet": _("sheet %(name)s"),
        "line": _("line %(name)s"),
        "heading": "%(name)s",
    }.get(unit, "") % {"name": name}


def url_of(passage: Passage) -> str:
    """The text of the file, opened at the passage."""
    address = reverse("chat:attachment-read", args=[passage.file])
    return f"{address}?from={passage.start}&to={passage.end}#passage"

"""What the numbers in an answer stand for: the passages and the pages that its model was given."""

from __future__ import annotations

from collections.abc import Iterable

from chat.generation.told import Told
from chat.markdown import Citation, Citations
from chat.models import Generation
from chat.presenters.cards import ActivityView, SourceView
from chat.presenting.excerpts import passage_views


def citations_of(activities: Iterable[ActivityView], generations: Iterable[Generation]) -> Citations:
    """The sources of one answer by number, of all ``generations`` that wrote it. No query.

    A number that stands for several sources stands for none: an answer that went on with other passages.
    """
    found: dict[int, dict[str, Citation]] = {}
    for activity in activities:
        for source in activity.sources:
            if source.number:
                citation = Citation(source.url, label_of(source))
                found.setdefault(source.number, {}).setdefault(source.url, citation)
    for generation in generations:
        for passage in passage_views(Told.of(generation.passages)):
            citation = Citation(passage.url, passage.label, inside=True)
            found.setdefault(passage.number, {}).setdefault(passage.url, citation)
    return {number: next(iter(those.values())) for number, those in found.items() if len(those) == 1}


def label_of(source: SourceView) -> str:
    """The title, which may say anything, and the site."""
    return source.site if source.title == source.url else f"{source.title} · {source.site}"

"""The passages of several documents that have most to do with some words, by BM25 (Robertson and Zaragoza, 2009)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chat.passages.cutting import Span
from chat.passages.index import Index
from chat.passages.terms import terms

#: How soon a word's repetition counts no more, and how much long passages are held back. The usual values.
_SATURATION, _LENGTH = 1.2, 0.75
#: What the words of the question before count: "and in winter?" is about what was asked first.
EARLIER = 0.3


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage of one of the documents, by that one's place in their order."""

    document: int
    span: Span


def weights(question: str, earlier: str = "") -> dict[str, float]:
    """Term -> what it counts."""
    found = dict.fromkeys(terms(earlier), EARLIER)
    return found | dict.fromkeys(terms(question), 1.0)


def best(indexes: Sequence[Index], wanted: Mapping[str, float], room: int, most: int) -> list[Hit]:
    """At most so many passages of together at most ``room`` characters, in the order of the documents.

    Where no word of the question stands in any document, passages from all over them, beginning with the first.
    """
    ranked = _ranked(indexes, wanted) or _spread(indexes, most)
    chosen: list[Hit] = []
    for hit in ranked:
        length = hit.span.end - hit.span.start
        if length <= room:
            chosen.append(hit)
            room -= length
        if len(chosen) == most:
            break
    return sorted(chosen, key=lambda hit: (hit.document, hit.span.start))


def _ranked(indexes: Sequence[Index], wanted: Mapping[str, float]) -> list[Hit]:
    total = sum(len(index.spans) for index in indexes)
    usual = sum(sum(index.words) for index in indexes) / max(total, 1) or 1
    scores: dict[tuple[int, int], float] = {}
    for term, weight in wanted.items():
        having = sum(len(index.places.get(term, ())) // 2 for index in indexes)
        rarity = weight * math.log(1 + (total - having + 0.5) / (having + 0.5))
        for document, index in enumerate(indexes):
            for number, count in index.counts(term):
                held_back = 1 - _LENGTH + _LENGTH * index.words[number] / usual
                score = rarity * count * (_SATURATION + 1) / (count + _SATURATION * held_back)
                scores[document, number] = scores.get((document, number), 0.0) + score
    order = sorted(scores, key=lambda key: (-scores[key], key))
    return [Hit(document, indexes[document].spans[number]) for document, number in order]


def _spread(indexes: Sequence[Index], most: int) -> list[Hit]:
    """From each document as many, at even distances."""
    each = max(1, most // max(1, len(indexes)))
    rounds = [_even(document, index.spans, each) for document, index in enumerate(indexes)]
    return [hit for turn in range(each) for hits in rounds for hit in hits[turn : turn + 1]]


def _even(document: int, spans: Iterable[Span], count: int) -> list[Hit]:
    spans = tuple(spans)
    step = max(1.0, len(spans) / count)
    return [Hit(document, spans[int(at * step)]) for at in range(min(count, len(spans)))]

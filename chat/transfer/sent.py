"""The exact requests of a conversation's runs, between rows (see ``chat.generation.receipt``) and portable ones."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chat.generation.receipt import FORMAT
from chat.models import Generation, StoredText
from chat.transfer.portable import Run, SentRequest, Stretch

#: Of a receipt, what is of one hub or told elsewhere: the sampling options are with the facts of model and server.
ROUND = ("sha256", "steps", "tools", "refused")


class Outward:
    """Tells of the requests of runs. ``keys``: those of the exported messages, ascending."""

    def __init__(self, runs: Iterable[Generation], keys: Sequence[int]) -> None:
        self._keys = keys
        places = {key: place for place, key in enumerate(keys)}
        told = [run for run in runs if run.message_id in places]
        self._runs = dict(
            zip((run.pk for run in told), numbered(places[run.message_id] for run in told), strict=True)
        )
        texts = {key for run in told for key in (run.system_text_id, run.tools_text_id) if key}
        self._texts = StoredText.objects.in_bulk(texts) if texts else {}

    def of(self, run: Generation) -> SentRequest | None:
        """What that one sent; None where it is not known."""
        kept = run.receipt
        if not kept.get("rounds"):
            return None
        turns, gone = self._turns(kept.get("turns", ()))
        capabilities = kept.get("capabilities")
        return SentRequest(
            rounds=tuple({name: entry[name] for name in ROUND if name in entry} for entry in kept["rounds"]),
            turns=turns,
            gone=gone,
            system=self._text(run.system_text_id),
            tools=self._text(run.tools_text_id),
            summary=kept.get("summary", ""),
            begun=kept.get("begun"),
            plain=bool(kept.get("plain")),
            reminded=bool(kept.get("state") or kept.get("reminded")),
            capabilities=None if capabilities is None else tuple(capabilities),
            repeats=self._runs.get(run.repeats) if run.repeats else None,
        )

    def _text(self, key: str | None) -> str:
        row = self._texts.get(key or "")
        return row.text if row else ""

    def _turns(self, named: Iterable[list[int]]) -> tuple[tuple[Stretch, ...], int]:
        """Stretches of keys as those of places, and how many of them are not there."""
        found: list[Stretch] = []
        gone = 0
        for first, last in sorted(named):
            begin, end = bisect_left(self._keys, first), bisect_right(self._keys, last) - 1
            gone += last - first - (end - begin)
            if begin <= end:
                joins = bool(found) and found[-1][1] == begin - 1
                found.append((found.pop()[0] if joins else begin, end))
        return tuple(found), gone


class Inward:
    """Gives runs their receipts. ``keys``: those of the new messages by place, ascending."""

    def __init__(self, owner_id: int, keys: Sequence[int]) -> None:
        self._owner_id = owner_id
        self._keys = keys
        self._breaks = [place for place in range(1, len(keys)) if keys[place] != keys[place - 1] + 1]
        self._texts: dict[str, StoredText] = {}

    def columns(self, run: Run) -> dict[str, Any]:
        """What its generation keeps; the texts are named, see :meth:`keep_texts`."""
        sent = run.sent
        if sent is None:
            return {"receipt": dict(run.asked)}
        return {
            "receipt": {**run.asked, **self._receipt(sent)},
            "system_text_id": self._key(sent.system),
            "tools_text_id": self._key(sent.tools),
        }

    def keep_texts(self) -> None:
        """Save the texts that were named. Inside the caller's transaction, before the generations."""
        StoredText.keep(self._texts.values())

    def _key(self, text: str) -> str | None:
        if text and text not in self._texts:
            self._texts[text] = StoredText.of(self._owner_id, text)
        return self._texts[text].key if text else None

    def _receipt(self, sent: SentRequest) -> dict[str, Any]:
        gone = [[-sent.gone, -1]] if sent.gone else []
        turns = [list(each) for stretch in sent.turns for each in self._stretches(*stretch)]
        found = {
            "format": FORMAT,
            "turns": gone + turns,
            "rounds": list(map(dict, sent.rounds)),
            "capabilities": None if sent.capabilities is None else list(sent.capabilities),
        }
        told = {"summary": sent.summary, "plain": sent.plain, "reminded": sent.reminded}
        found |= {name: value for name, value in told.items() if value}
        return found | ({} if sent.begun is None else {"begun": sent.begun})

    def _stretches(self, first: int, last: int) -> Iterator[Stretch]:
        """Those places by the keys of messages; these need not be neighbours, others write at the same time."""
        inner = self._breaks[bisect_right(self._breaks, first) : bisect_right(self._breaks, last)]
        for begin, end in zip([first, *inner], [*(place - 1 for place in inner), last], strict=True):
            yield self._keys[begin], self._keys[end]


def repeated(runs: Sequence[tuple[int, Run]], made: Sequence[Generation]) -> None:
    """Say of the new generations whose request they sent again. ``runs``: each with the place of its turn."""
    places = [place for place, _run in runs]
    keys = dict(zip(numbered(places), (row.pk for row in made), strict=True))
    for (_place, run), row in zip(runs, made, strict=True):
        key = keys.get(run.sent.repeats) if run.sent and run.sent.repeats else None
        row.repeats = None if key == row.pk else key


def numbered(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Each with how often it was there before."""
    counts: Counter[int] = Counter()
    for place in places:
        yield place, counts[place]
        counts[place] += 1

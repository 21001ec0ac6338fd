"""Tool calls and open requests as cards show them: from the plain values of rows and of updates."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.db.models import Exists, OuterRef, QuerySet
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from chat.markdown import as_line
from chat.models import Activity, ActivityState, Ask, Generation
from chat.presenters.cards import ActivityView, AskView, OptionView, QuestionView, SourceView

#: The cards of one message.
Cards = tuple[tuple[ActivityView, ...], tuple[AskView, ...]]
NONE: Cards = ((), ())
#: Images of one call that a card shows.
MOST_IMAGES = 8


def with_flags(rows: QuerySet[Generation]) -> QuerySet[Generation]:
    """Each with ``has_activities`` and ``has_asks``: whether there is anything to look for."""
    return rows.annotate(**flags())


@cache
def flags() -> dict[str, Exists]:
    """The columns of :func:`with_flags`, which take longer to make than to use."""
    calls = Activity.objects.filter(generation=OuterRef("pk"))
    asks = Ask.objects.open().filter(generation=OuterRef("pk"))
    return {"has_activities": Exists(calls), "has_asks": Exists(asks)}


def cards_of(generations: Sequence[Generation]) -> dict[int, Cards]:
    """Message id -> its cards. No query where :func:`with_flags` found none, else one for each kind of card."""
    called = [row.message_id for row in generations if getattr(row, "has_activities", False)]
    asked = [row.message_id for row in generations if getattr(row, "has_asks", False)]
    calls = Activity.shown_of(called) if called else {}
    asks = Ask.shown_of(asked) if asked else {}
    return {
        message_id: (activity_views(calls.get(message_id, ())), ask_views(asks.get(message_id, ())))
        for message_id in {*calls, *asks}
    }


def activity_views(shown: Iterable[Mapping[str, Any]]) -> tuple[ActivityView, ...]:
    """The cards of tool calls."""
    return tuple(activity_view(values) for values in shown)


def activity_view(values: Mapping[str, Any]) -> ActivityView:
    """One call, from what ``Activity.shown()`` gives."""
    state = ActivityState(values["state"])
    ended = values["finished_at"]
    size, preview = values["output_size"], values["preview"]
    is_whole = size <= len(preview.encode())
    return ActivityView(
        id=values["id"],
        name=values["name"] or _("Tool"),
        title=values["title"],
        state=state.value,
        state_label=str(state.label),
        input=values["input"],
        output=preview,
        size=filesizeformat(size) if size else "",
        whole_url="" if is_whole else reverse("chat:activity-output", args=[values["id"]]),
        elapsed=max(0, round((ended or time.time()) - values["started_at"])),
        sources=source_views(values["sources"]),
        image_urls=tuple(
            reverse("chat:activity-image", args=[values["id"], number])
            for number in range(1, min(values["images"], MOST_IMAGES) + 1)
        ),
        duration=seconds(ended - values["started_at"]) if ended else "",
    )


def source_views(sources: Iterable[Mapping[str, Any]]) -> tuple[SourceView, ...]:
    """The pages that a result rests on; only what a browser may be led to."""
    found = []
    for source in sources:
        url = source.get("url", "")
        parts = urlsplit_or_none(url)
        if parts and parts.scheme in {"http", "https"} and parts.hostname:
            site = source.get("site") or parts.hostname.removeprefix("www.")
            title, number = as_line(source.get("title", "")) or url, source.get("number", 0)
            found.append(SourceView(url=url, title=title, site=site, number=number))
    return tuple(found)


def urlsplit_or_none(url: str) -> SplitResult | None:
    """The parts of an address; None where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def ask_views(shown: Iterable[Mapping[str, Any]]) -> tuple[AskView, ...]:
    """The cards of open requests."""
    return tuple(ask_view(values) for values in shown)


def ask_view(values: Mapping[str, Any]) -> AskView:
    """One request, from what ``Ask.shown()`` gives."""
    payload = values["payload"]
    return AskView(
        id=values["id"],
        url=reverse("chat:ask-answer", args=[values["id"]]),
        is_question=values["kind"] == "question",
        is_tool=values["kind"] == "tool",
        once_only=payload.get("once_only", False),
        seconds_left=max(0, round(values["expires_at"] - time.time())),
        permission=payload.get("permission", ""),
        title=payload.get("title", ""),
        patterns=tuple(payload.get("patterns", ())),
        always=tuple(payload.get("always", ())),
        details=payload.get("details", ""),
        questions=tuple(question_view(entry) for entry in payload.get("questions", ())),
    )


def question_view(entry: Mapping[str, Any]) -> QuestionView:
    """One question with its options."""
    options = tuple(OptionView(option["label"], option["description"]) for option in entry["options"])
    return QuestionView(
        header=entry["header"],
        text=entry["question"],
        options=options,
        multiple=entry["multiple"],
        custom=entry["custom"] or not options,
    )


def seconds(value: float) -> str:
    """A duration in words, exact where it is short."""
    if value < 1:
        return _("%(ms)d ms") % {"ms": round(value * 1000)}
    return _("%(s)s s") % {"s": formats.number_format(value, 1)}

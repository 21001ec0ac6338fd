"""The report of an import in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chat.models import Import
from chat.transfer import values
from chat.transfer.formats.registry import LABELS
from chat.transfer.portable import LeftOut

LOST: Mapping[str, str | Promise] = {
    LeftOut.UNKNOWN: _("not a conversation in a format that is known here"),
    LeftOut.UNREADABLE: _("conversation without readable messages"),
    LeftOut.NO_MESSAGES: _("conversation without messages"),
    LeftOut.TOO_LONG: _("too large, or nested too deeply: export it again without “recursive”, or in parts"),
}
LEFT_OUT: Mapping[str, str | Promise] = {
    LeftOut.FILE: _("pictures, recordings and other files"),
    LeftOut.EMPTY: _("messages without text"),
    LeftOut.HIDDEN: _("hidden messages: profiles, and what tools said to the model"),
    LeftOut.BROKEN: _("messages that are there twice or follow themselves"),
    LeftOut.RECEIPT: _("receipts of answers that cannot be read"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """Something counted."""

    label: str | Promise
    count: int


@dataclass(frozen=True, slots=True)
class ReportView:
    """What a file would bring. ``percent`` is of the running import."""

    new: int
    known: int
    messages: int
    library: int
    settings: int
    projects: int
    attached: int
    sources: tuple[Line, ...]
    lost: tuple[Line, ...]
    left_out: tuple[Line, ...]
    others: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    percent: int


def report_view(row: Import) -> ReportView:
    """The stored report as the page shows it."""
    report = row.report
    return ReportView(
        new=report.get("new", 0),
        known=report.get("known", 0),
        messages=report.get("messages", 0),
        library=report.get("library", 0),
        settings=report.get("settings", 0),
        projects=report.get("projects", 0),
        attached=report.get("attached", 0),
        sources=_lines(report.get("sources", {}), LABELS),
        lost=_lines(report.get("lost", {}), LOST),
        left_out=_lines(report.get("left_out", {}), LEFT_OUT),
        others=tuple(report.get("others", ())),
        first=values.moment(report.get("first")),
        last=values.moment(report.get("last")),
        percent=100 * row.done // row.total if row.total else 0,
    )


def _lines(counts: Mapping[str, int], labels: Mapping[str, str | Promise]) -> tuple[Line, ...]:
    return tuple(Line(labels.get(name, name), count) for name, count in counts.items() if count)

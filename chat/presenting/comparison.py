"""A comparison as its page shows it, and the form that begins one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from chat.models import FEWEST, Comparison, Conversation, Generation
from chat.picker import model_groups
from chat.presenters.models import ModelGroup
from chat.presenters.thread import ThreadView
from chat.presenting.composer import submission_key
from chat.presenting.thread import thread_view
from chat.presenting.window import Window
from chat.services.models import Offer
from chat.services.uploads import ACCEPT

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One column. ``label`` is the model's name, or what stands for it; ``place`` its server, empty while hidden."""

    number: int
    label: str
    place: str
    thread: ThreadView
    stop_url: str
    settings_url: str
    keep_url: str

    @property
    def suffix(self) -> str:
        """What its parts of the page add to the ids that a page with one thread has once."""
        return f"-{self.number}"


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """The page. ``listed_as`` is the conversation that stands for it in the list."""

    id: str
    title: str
    url: str
    socket_path: str
    listed_as: str
    columns: tuple[ColumnView, ...]
    blind: bool
    wants_vote: bool
    key: str
    accept: str
    draft: str = ""
    draft_is_saved: bool = False
    error: str = ""

    @property
    def active(self) -> bool:
        """Whether any column is being answered."""
        return any(column.thread.active for column in self.columns)


@dataclass(frozen=True, slots=True)
class SlotView:
    """The choice of one column's model in the form that begins a comparison. ``optional``: it may stay empty."""

    number: int
    optional: bool
    groups: tuple[ModelGroup, ...]
    chosen: bool


def comparison_view(
    comparison: Comparison, *, draft: str = "", error: str = "", shown: Mapping[UUID, Window] | None = None
) -> ComparisonView:
    """The comparison with the newest messages of each column, or those ``shown`` of some of them, by their ids.

    A fixed number of queries for each column. Raises Comparison.DoesNotExist where all columns are gone.
    """
    rows = list(comparison.columns.select_related("backend").order_by("column"))
    if not rows:
        raise Comparison.DoesNotExist
    columns = tuple(column_view(row, (shown or {}).get(row.pk)) for row in rows)
    revisions = "-".join(str(row.revision) for row in rows)
    return ComparisonView(
        id=str(comparison.pk),
        title=rows[0].title,
        url=comparison.get_absolute_url(),
        socket_path=f"/ws/comparisons/{comparison.pk}/?revision={revisions}",
        listed_as=str(rows[0].pk),
        columns=columns,
        blind=comparison.blind,
        wants_vote=comparison.wants_vote,
        key=submission_key(),
        accept=ACCEPT,
        draft=draft or rows[0].draft,
        draft_is_saved=not draft,
        error=error,
    )


def column_view(row: Conversation, shown: Window | None = None) -> ColumnView:
    """One column, at its end or with the messages ``shown``."""
    newest = Generation.objects.filter(message__conversation=row).order_by("-created_at").first()
    name = (newest.model_name if newest else "") or row.model_id
    return ColumnView(
        number=row.column,
        label=row.alias or name,
        place="" if row.alias or row.backend is None else row.backend.name,
        thread=thread_view(row, shown),
        stop_url=reverse("chat:stop", args=[row.pk]),
        settings_url=reverse("chat:settings", args=[row.pk]),
        keep_url=reverse("chat:comparison-keep", args=[row.comparison_id, row.column]),
    )


def slot_views(user: User, offers: list[Offer], refs: Sequence[str], most: int) -> tuple[SlotView, ...]:
    """One choice a column. ``refs`` are the models chosen so far; the first two begin with what the person likes."""
    shown = [offer.model.ref for offer in offers if offer.is_shown]
    wanted = list(refs) or first_two(user, offers, shown)
    slots = []
    for number in range(most):
        ref = wanted[number] if number < len(wanted) else ""
        groups = model_groups(offers, user, None, ref)
        slots.append(SlotView(number, number >= FEWEST, groups, bool(ref)))
    return tuple(slots)


def first_two(user: User, offers: list[Offer], shown: list[str]) -> list[str]:
    """The model that a new conversation begins with, and the first other one."""
    groups = model_groups(offers, user)
    chosen = [choice.value for group in groups for choice in group.choices if choice.selected][:1]
    others = [ref for ref in shown if ref not in chosen]
    return [*chosen, *others][:FEWEST]


def column_name(number: int) -> str:
    """What the form calls a column."""
    return _("Column %(number)d") % {"number": number + 1}

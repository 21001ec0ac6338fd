"""Tools as the pages of switches and of calls show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat.cards import activity_view
from chat.models import Activity, Conversation, Project, ToolPolicy, ToolRule, Verdict
from chat.presenters.cards import ActivityView
from chat.tools.base import Reach, Tool
from chat.tools.registry import known_to
from chat.tools.support import takes_tools
from chat.tools.switches import ANY, Switches, in_force, is_on, wanted

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Where a choice counts; None for everywhere.
Place = Conversation | Project | None

#: Calls that the list shows at once.
PAGE = 50


@dataclass(frozen=True, slots=True)
class ToolRow:
    """One tool. ``switch`` is ``on``, ``off`` or empty for no choice, ``rule`` a verdict or empty."""

    name: str
    label: str
    description: str
    reach: str
    switch: str
    rule: str
    without_choice: str
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where a choice counts. ``kind`` is ``conversation`` or ``project``."""

    kind: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call in the list of calls."""

    activity: ActivityView
    consent: str
    began: datetime
    thread_title: str
    thread_url: str


def tools_hint(switches: Switches, model: CatalogueModel | None) -> str:
    """A sentence where tools are wanted, but this model cannot call them."""
    if model is None or not wanted(switches):
        return ""
    if takes_tools(model.backend.kind, model):
        return ""
    return _("Tools are on, but this model can’t use them.")


def above(user: User, where: Place) -> Switches:
    """What holds there without a choice."""
    match where:
        case Conversation():
            return in_force(user, project=where.project)
        case Project():
            return in_force(user)
        case _:
            return {}


def place_view(where: Place) -> PlaceView | None:
    """What the page of switches says of where they count."""
    match where:
        case Conversation():
            return PlaceView("conversation", where.title or _("New chat"), where.get_absolute_url())
        case Project():
            return PlaceView("project", where.name, where.get_absolute_url())
        case _:
            return None


def switch_all(user: User, where: Place) -> ToolRow:
    """The switch for tools at all."""
    chosen, inherited = (where or user).tools, wanted(above(user, where))
    forbidden = ToolPolicy.of(user).verdict(ANY) is Verdict.DENY
    return ToolRow(
        ANY, _("Let models use tools"), "", "", switch_of(chosen.get(ANY)), "", on_off(inherited), forbidden
    )


def tool_rows(user: User, where: Place) -> list[ToolRow]:
    """Every tool that the person could have, with what they chose everywhere, in the project or the conversation."""
    chosen, inherited = (where or user).tools, above(user, where)
    rules = {} if isinstance(where, Project) else rules_of(user, where)
    policies = ToolPolicy.of(user)
    return [
        ToolRow(
            name=tool.name,
            label=str(tool.label),
            description=tool.description,
            reach=reach_sentence(tool),
            switch=switch_of(chosen.get(tool.name)),
            rule=rules.get(tool.name, ""),
            without_choice=on_off(is_on(tool, inherited)),
            forbidden=policies.verdict(tool.name) is Verdict.DENY,
        )
        for tool in known_to(user.pk)
    ]


def rules_of(user: User, conversation: Conversation | None) -> dict[str, str]:
    """The person's standing words, everywhere or in the conversation."""
    mine = ToolRule.objects.filter(user=user, conversation=conversation)
    return {rule.tool: rule.verdict for rule in mine}


def switch_of(value: object) -> str:
    """A stored switch as the form has it."""
    return "" if value is None else "on" if value else "off"


def on_off(value: bool) -> str:
    """In words."""
    return _("on") if value else _("off")


def reach_sentence(tool: Tool) -> str:
    """What it can do beyond answering."""
    sentences = {
        Reach.OUTSIDE: _("Contacts other hosts."),
        Reach.CHANGES: _("Changes something that stays."),
        Reach.UNKNOWN: _("Runs elsewhere; what it does is not known here."),
    }
    return " ".join(sentences[reach] for reach in sorted(tool.reach))


def call_rows(user: User, before: datetime | None) -> tuple[list[CallRow], str]:
    """The person's calls, the newest first, and the address of earlier ones. One query."""
    rows = Activity.objects.owned_by(user).select_related("generation__message__conversation")
    rows = rows.order_by("-started_at", "-position").defer("output")
    found = list((rows.filter(started_at__lt=before) if before else rows)[: PAGE + 1])
    shown = found[:PAGE]
    query = urlencode({"before": shown[-1].started_at.timestamp()}) if len(found) > PAGE else ""
    return list(map(call_row, previewed(shown))), f"{reverse('chat:tool-calls')}?{query}" if query else ""


def previewed(rows: Iterable[Activity]) -> Iterable[Activity]:
    """Without their outputs: those are a link away."""
    for row in rows:
        row.output = ""
        yield row


def call_row(row: Activity) -> CallRow:
    """One call."""
    conversation = row.generation.message.conversation
    return CallRow(
        activity=activity_view(row.shown()),
        consent=consent_of(row),
        began=row.started_at,
        thread_title=conversation.title or _("New chat"),
        thread_url=conversation.get_absolute_url(),
    )


def consent_of(row: Activity) -> str:
    """Who let it run. What a file says of that may be anything."""
    if row.imported:
        return _("imported from a file")
    return row.get_consent_display() if row.consent else ""

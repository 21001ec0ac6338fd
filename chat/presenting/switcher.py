"""The quick switcher: where one can go from anywhere, by a few letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from chat.models import Conversation, Project
from chat.presenters.sidebar import ProjectMark
from chat.presenting.found import GroupView, quick_view
from chat.presenting.projects import MARK, mark
from chat.searching.folding import fold

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Conversations and projects that it lists.
MOST, MOST_PROJECTS = 8, 3


@dataclass(frozen=True, slots=True)
class Command:
    """A place of the hub."""

    label: str
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class RecentView:
    """A conversation that was used lately."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class SwitcherView:
    """What it lists: recent conversations while nothing is typed, then projects of that name and what was found;
    ``all_url`` shows everything.
    """

    commands: tuple[Command, ...]
    recent: tuple[RecentView, ...] = ()
    projects: tuple[ProjectMark, ...] = ()
    found: tuple[GroupView, ...] = ()
    all_url: str = ""


def switcher_view(user: User, text: str) -> SwitcherView:
    """For this person and these letters."""
    fitting = tuple(command for command in commands(user) if fits(command.label, text))
    if not text:
        rows = Conversation.objects.owned_by(user).listed().lines().only("id", "title", "comparison")[:MOST]
        recent = tuple(RecentView(row.title or _("New chat"), row.get_absolute_url()) for row in rows)
        return SwitcherView(fitting, recent)
    projects, found = projects_named(user, text), quick_view(user, text, MOST)
    listed = {project.url for project in projects}
    groups = tuple(group for group in found.groups if group.url not in listed)
    return SwitcherView(fitting, (), projects, groups, found.all_url)


def projects_named(user: User, text: str) -> tuple[ProjectMark, ...]:
    """Open projects whose names fit. One query."""
    rows = Project.objects.owned_by(user).open().only(*MARK)
    return tuple(mark(row) for row in rows if fits(row.name, text))[:MOST_PROJECTS]


def fits(label: str, text: str) -> bool:
    """Whether a word of the label begins with each word of the text."""
    words = fold(label).split()
    return all(any(word.startswith(part) for word in words) for part in fold(text).split())


def commands(user: User) -> list[Command]:
    """Where this person can go."""
    found = [
        Command(_("New chat"), reverse("chat:new"), "square-pen"),
        Command(_("All conversations"), reverse("chat:conversations"), "list-checks"),
        Command(_("Archive"), f"{reverse('chat:conversations')}?in=archive", "archive"),
        Command(_("Projects"), reverse("chat:projects"), "folder"),
        Command(_("Temporary chat"), reverse("chat:temporary"), "eye-off"),
        Command(_("Compare models"), reverse("chat:compare"), "columns-2"),
        Command(_("System prompts"), reverse("chat:prompts"), "book-open"),
        Command(_("Settings"), reverse("hub:settings"), "settings"),
        Command(_("Models"), reverse("chat:models"), "box"),
        Command(_("Inbox"), reverse("chat:inbox"), "bell"),
        Command(_("Export and import"), reverse("chat:transfer"), "arrow-down"),
    ]
    if user.is_staff:
        found += [
            Command(_("Backends"), reverse("chat:backends"), "server"),
            Command(_("People"), reverse("hub:people"), "users"),
            Command(_("Internet"), reverse("chat:internet"), "globe"),
            Command(_("MCP servers"), reverse("chat:mcp"), "waypoints"),
        ]
    return found

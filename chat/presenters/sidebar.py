"""The list of conversations."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class ProjectMark:
    """A project by what it is told by: ``icon`` is a symbol of the sprite, ``colour`` a name of the style sheet."""

    id: str
    name: str
    url: str
    colour: str
    icon: str


@dataclass(frozen=True, slots=True)
class ConversationItem:
    """One line of the sidebar. ``is_unread``: an answer ended in it while nobody looked."""

    id: str
    title: str
    url: str
    is_current: bool = False
    is_running: bool = False
    is_unread: bool = False
    is_pinned: bool = False
    is_archived: bool = False
    is_comparison: bool = False
    project: ProjectMark | None = None

    @property
    def menu_url(self) -> str:
        """What can be done with it."""
        return reverse("chat:menu", args=[self.id])


@dataclass(frozen=True, slots=True)
class ConversationGroup:
    """Conversations of one stretch of time: "Today", "Yesterday", "Previous 7 days", "May 2026", or the pinned."""

    label: str
    items: tuple[ConversationItem, ...]
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class SidebarView:
    """The list on the left. ``more_url`` loads older conversations, empty where there are none.

    ``projects`` stand above it on a whole page.
    """

    groups: tuple[ConversationGroup, ...] = ()
    more_url: str = ""
    projects: tuple[ProjectMark, ...] = ()

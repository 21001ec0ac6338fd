"""A conversation's messages on a page."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat.presenters.message import MessageView
from chat.presenters.meter import CutView
from chat.presenters.sidebar import ProjectMark
from chat.presenters.upcoming import UpcomingListView


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A conversation: everything between the top bar and the composer.

    ``revision`` counts changes of structure; the page tells it to the socket on reconnect.
    ``earlier_url`` loads the messages before the first of these, ``later_url`` those after the last; empty where
    there are none. ``undo_url`` brings back what was just deleted. ``prompt_name``: the entry of the library that
    it follows, if it does. ``cut`` is a line above everything, ``end_cut`` one below the last message.
    """

    id: str
    title: str
    url: str
    socket_path: str
    revision: int
    messages: tuple[MessageView, ...] = ()
    upcoming: UpcomingListView | None = None
    earlier_url: str = ""
    later_url: str = ""
    system_prompt: str = ""
    prompt_name: str = ""
    is_pinned: bool = False
    is_archived: bool = False
    active: bool = field(default=False)
    project: ProjectMark | None = None
    undo_url: str = ""
    cut: CutView | None = None
    end_cut: CutView | None = None

    @property
    def is_asking(self) -> bool:
        """Whether something waits for the person's word."""
        return any(message.asks for message in self.messages)

"""Events to HTML: what one message on the socket consists of.

A frame is one or more ``<hx-partial>`` elements; htmx swaps each into its target. A frame that only
appends a few words is about 80 bytes long.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.template.loader import render_to_string

from chat.markdown import Patch
from chat.presenters.cards import ActivityView, AskView
from chat.presenters.message import MessageView
from chat.presenters.meter import MeterView
from chat.presenters.sidebar import ProjectMark
from chat.presenters.thread import ThreadView
from chat.presenters.upcoming import UpcomingListView


def partial(target: str, swap: str, html: str) -> str:
    """One change of the page: ``target`` is an element's id."""
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>'


def patches(changes: Iterable[Patch]) -> str:
    """The changes of a growing text."""
    return "".join(partial(change.target, change.swap, change.html) for change in changes)


def message_html(message: MessageView) -> str:
    """The article of a message."""
    return render_to_string("chat/fragments/message.html", {"message": message})


def replaced(message: MessageView) -> str:
    """The article anew."""
    return partial(f"message-{message.id}", "outerHTML", message_html(message))


def added(html: str) -> str:
    """Articles that a page may already have; those it has are left alone (see static/js)."""
    return partial("messages", "appendMissing", html)


def phase(message_id: int, text: str, progress: int | None) -> str:
    """The sentence above an answer that has not begun; empty once it has."""
    html = render_to_string("chat/fragments/phase.html", {"text": text, "progress": progress}) if text else ""
    return partial(f"m{message_id}-status", "innerHTML", html)


def thread(view: ThreadView) -> str:
    """All messages anew."""
    html = render_to_string("chat/fragments/thread_messages.html", {"thread": view})
    return partial("messages", "outerHTML", html)


def state(revision: int, active: bool, stop_url: str) -> str:
    """What the page keeps to know whether it missed something, and whether stop is offered."""
    html = render_to_string(
        "chat/fragments/thread_state.html", {"revision": revision, "active": active, "stop_url": stop_url}
    )
    return partial("thread-state", "outerHTML", html)


def upcoming(view: UpcomingListView) -> str:
    """What is typed ahead."""
    html = render_to_string("chat/fragments/upcoming.html", {"upcoming": view})
    return partial("upcoming", "outerHTML", html)


def meter(view: MeterView) -> str:
    """How full the model's window is now."""
    return partial("meter", "outerHTML", render_to_string("chat/fragments/meter.html", {"meter": view}))


def project(mark: ProjectMark, projects: Iterable[ProjectMark]) -> str:
    """What the page calls the conversation's project, and the list of projects beside it."""
    top = render_to_string("chat/fragments/topbar_project.html", {"project": mark})
    beside = render_to_string("chat/fragments/sidebar_projects.html", {"projects": projects})
    return partial("topbar-project", "outerHTML", top) + partial("sidebar-projects", "outerHTML", beside)


def reasoning(message: MessageView) -> str:
    """The folded trace anew."""
    html = render_to_string("chat/fragments/reasoning.html", {"message": message})
    return partial(f"m{message.id}-reasoning", "outerHTML", html)


def activity(message_id: int, view: ActivityView, *, is_new: bool) -> str:
    """The card of a tool call, new or anew."""
    html = render_to_string("chat/fragments/activity.html", {"activity": view})
    if is_new:
        return partial(f"m{message_id}-activities", "beforeend", html)
    return partial(f"activity-{view.id}", "outerHTML", html)


def ask(message_id: int, view: AskView) -> str:
    """The card of a request."""
    html = render_to_string("chat/fragments/ask.html", {"ask": view})
    return partial(f"m{message_id}-asks", "beforeend", html)


def ask_gone(ask_id: str) -> str:
    """A request that needs no answer any more."""
    return partial(f"ask-{ask_id}", "delete", "")

"""One message, with everything that stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from chat.presenters.cards import ActivityView, AskView, SourceView, each_once
from chat.presenters.documents import AttachmentView, ExcerptsView
from chat.presenters.meter import CutView
from chat.presenters.models import ModelGroup
from chat.presenters.waiting import WaitingView


@dataclass(frozen=True, slots=True)
class ErrorView:
    """Why an answer failed: what happened, and what to do next. Both are sentences."""

    kind: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured thing under an answer, for example ``("Speed", "28 tokens/s")``."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class VersionsView:
    """What else could stand in a message's place: ``number`` of ``count``, from 1.

    ``place`` is the id of the message before, 0 for the first one.
    """

    place: int
    number: int
    count: int
    previous_id: int | None
    next_id: int | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as the thread shows it.

    ``reasoning_tokens`` says in words how many the thinking took, empty where nobody knows.

    ``status`` is ``completed`` for everything that is not being written or broken. ``html`` is safe
    rendered Markdown. ``phase`` is a sentence while nothing has arrived yet ("Loading the model…"),
    ``progress`` 0 to 100 or None, ``queue_place`` counts from 1 while queued. ``edited``: an answer in the
    person's words. ``query`` names the conversation in the message's addresses where it is shared with a fork.
    ``cut`` is the line above it, ``context`` what filled the window (see ``chat.generation.fit``).
    """

    id: int
    role: str
    status: str
    html: SafeString
    text: str
    created: datetime
    model_label: str = ""
    backend_label: str = ""
    reasoning_html: SafeString = SafeString("")
    reasoning_seconds: int | None = None
    reasoning_tokens: str = ""
    reasoning_open: bool = False
    phase: str = ""
    progress: int | None = None
    queue_place: int | None = None
    waiting: WaitingView | None = None
    error: ErrorView | None = None
    note: str = ""
    facts: tuple[Fact, ...] = ()
    generation_id: str = ""
    can_retry: bool = False
    can_continue: bool = False
    can_delete: bool = False
    activities: tuple[ActivityView, ...] = ()
    asks: tuple[AskView, ...] = ()
    attachments: tuple[AttachmentView, ...] = ()
    excerpts: ExcerptsView | None = None
    versions: VersionsView | None = None
    edited: bool = False
    query: str = ""
    cut: CutView | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[SourceView, ...]:
        """The pages that the tools' results rest on, each once, those with numbers first."""
        return each_once(source for activity in self.activities for source in activity.sources)

    @property
    def is_active(self) -> bool:
        """Whether an answer is being written or waits for its turn."""
        return self.status in {"queued", "running"}


@dataclass(frozen=True, slots=True)
class MessageMenuView:
    """What can be done with a message. ``models`` are those that can be asked again.

    ``receipt_url`` and ``compare_url`` are empty where no model wrote it, and where it is the only answer.
    ``may_fork``: not while its model is hidden until a vote. ``may_edit``: not in a column of a comparison.
    ``leave_out_url``: empty where the model sees nothing above it anyway.
    """

    id: int
    conversation_id: str
    is_answer: bool
    url: str
    is_shared: bool
    may_fork: bool = True
    may_edit: bool = True
    models: tuple[ModelGroup, ...] = ()
    receipt_url: str = ""
    compare_url: str = ""
    leave_out_url: str = ""

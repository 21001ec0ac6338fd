"""What templates are given: plain values, no rows, so that a template can run no query.

The same values serve a page, an htmx fragment and a frame over the socket.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from chat.context_presenters import CutView, MeterView


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
class SourceView:
    """A page that an answer rests on. ``number``: by which the model was told of it, 0 for none."""

    url: str
    title: str
    site: str
    number: int = 0


def each_once(sources: Iterable[SourceView]) -> tuple[SourceView, ...]:
    """Those of one answer by their addresses, the ones with numbers first."""
    found: dict[str, SourceView] = {}
    for source in sorted(sources, key=lambda source: (not source.number, source.number)):
        found.setdefault(source.url, source)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class ActivityView:
    """One tool call. ``input`` and ``output`` are plain text from outside; ``whole_url`` shows an output that
    is too long for the card. ``elapsed`` counts seconds since it began, ``duration`` says how long it took.
    """

    id: str
    name: str
    title: str
    state: str
    state_label: str
    input: str
    output: str
    size: str
    whole_url: str
    elapsed: int
    duration: str
    sources: tuple[SourceView, ...] = ()

    @property
    def is_at_work(self) -> bool:
        """Whether it goes on."""
        return self.state in {"pending", "running"}


@dataclass(frozen=True, slots=True)
class OptionView:
    """One answer that a question offers."""

    label: str
    description: str


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question. ``custom``: words of one's own are welcome."""

    header: str
    text: str
    options: tuple[OptionView, ...]
    multiple: bool
    custom: bool


@dataclass(frozen=True, slots=True)
class AskView:
    """What a server asks the person while it answers: a permission, or questions.

    ``is_tool``: the hub itself asks, for one of its tools; ``once_only`` where a standing word would not do.
    """

    id: str
    url: str
    is_question: bool
    seconds_left: int
    permission: str = ""
    title: str = ""
    patterns: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    details: str = ""
    questions: tuple[QuestionView, ...] = ()
    is_tool: bool = False
    once_only: bool = False


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file that came with a question. ``width`` and ``height`` are those of an image's thumbnail, in pixels.

    A document has no thumbnail: ``url`` shows its text, ``file_url`` saves the file itself, ``size`` says how large.
    """

    name: str
    url: str
    thumbnail_url: str = ""
    width: int = 0
    height: int = 0
    file_url: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class HealthView:
    """How a server is. ``state``: online, offline, checking. ``sentence`` says it in words."""

    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class OtherModel:
    """A model that a waiting message could be sent to; ``value`` is ``BACKEND-SLUG/MODEL-ID``."""

    value: str
    label: str
    backend: str
    selected: bool


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A message whose server is away. ``models`` are those it could be sent to instead."""

    sentence: str
    health: HealthView | None
    models: tuple[OtherModel, ...] = ()


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage of a document that the model was sent. ``cited``: the answer names its number.

    ``place`` is where it stands, for example ``p. 12``; empty where nobody knows.
    """

    number: int
    name: str
    place: str
    url: str
    cited: bool

    @property
    def label(self) -> str:
        """The document and the place."""
        return f"{self.name} {self.place}".rstrip()


@dataclass(frozen=True, slots=True)
class ExcerptsView:
    """What an answer rests on of documents that were too long; ``sentence`` says which they are.

    ``many``: they are more than one, so that a place alone does not say enough.
    """

    sentence: str
    many: bool
    passages: tuple[PassageView, ...]

    @property
    def cited(self) -> tuple[PassageView, ...]:
        """Those that the answer names."""
        return tuple(passage for passage in self.passages if passage.cited)


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
class FileChoice:
    """A file of a question that is edited, and whether it stays."""

    id: str
    name: str
    stays: bool


@dataclass(frozen=True, slots=True)
class EditView:
    """The form for another version of a message. ``error`` is a sentence or empty."""

    id: int
    conversation_id: str
    role: str
    text: str
    error: str
    files: tuple[FileChoice, ...]
    back_url: str


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
class ModelChoice:
    """One line of the model picker; ``value`` is ``BACKEND-SLUG/MODEL-ID``."""

    value: str
    label: str
    note: str = ""
    selected: bool = False
    vision: bool = False
    tools: bool = False
    reasoning: bool = False
    health: HealthView | None = None


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """The models of one backend. ``offline`` ones stay listed and can still be picked."""

    backend: str
    offline: bool
    choices: tuple[ModelChoice, ...]

    @property
    def label(self) -> str:
        """The heading: the name, and since when the server is away."""
        health = self.choices[0].health if self.offline and self.choices else None
        return f"{self.backend} · {health.sentence}" if health else self.backend


@dataclass(frozen=True, slots=True)
class ProjectMark:
    """A project by what it is told by: ``icon`` is a symbol of the sprite, ``colour`` a name of the style sheet."""

    id: str
    name: str
    url: str
    colour: str
    icon: str


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


@dataclass(frozen=True, slots=True)
class ComposerView:
    """The form at the bottom.

    ``key`` makes a repeated submit harmless. ``draft`` is text that came back with an error, or what was typed
    before, then ``draft_is_saved``; ``draft_url`` keeps it. ``accept``: what
    file choosers offer, as HTML wants it.
    ``tools_hint``: a sentence where tools are wanted, but the chosen model knows none.
    ``active``: an answer is running or queued, so the stop button is offered. ``project_id``: what a new
    conversation will belong to.
    """

    action: str
    key: str
    models: tuple[ModelGroup, ...]
    stop_url: str = ""
    active: bool = False
    draft: str = ""
    draft_is_saved: bool = False
    draft_url: str = ""
    error: str = ""
    accept: str = ""
    tools_hint: str = ""
    meter: MeterView | None = None
    project_id: str = ""

    @property
    def health(self) -> HealthView | None:
        """How the server of the chosen model is."""
        choices = (choice for group in self.models for choice in group.choices)
        return next((choice.health for choice in choices if choice.selected), None)


@dataclass(frozen=True, slots=True)
class UpcomingView:
    """A question that waits for the answer before it. ``trouble``: why it could not be sent."""

    id: int
    text: str
    trouble: str


@dataclass(frozen=True, slots=True)
class UpcomingListView:
    """All of them in their order. ``held``: nothing is being written, so that only the person sends them on."""

    questions: tuple[UpcomingView, ...] = ()
    held: bool = False


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

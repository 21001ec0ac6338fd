"""What fills the window of a conversation's model, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat.generation import estimate
from chat.generation.fit import FILES, HISTORY, SUMMARY, TOOLS
from chat.generation.sampling import options_for
from chat.generation.system import MEMORY, PROJECT, PROJECT_FILES, PROMPT, system_parts
from chat.generation.window import Source, Window
from chat.models import Conversation, Overflow
from chat.picker import begins_with
from chat.presenters.message import MessageView
from chat.presenters.meter import FillingPart, FillingView
from chat.presenting.composer import model_in
from chat.presenting.cuts import line_in_force
from chat.presenting.meter import counted, filled, meter_of, number, ratio_of, size_of, window_for
from chat.presenting.thread import thread_view
from chat.services.models import usable_models

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: What is left of the window, and what of it is kept for the answer.
RESERVE, FREE = "reserve", "free"


def filling_view(user: User, conversation: Conversation) -> FillingView:
    """The conversation's window as it is before its next question. A fixed number of queries."""
    models = usable_models(user)
    model = model_in(models, begins_with(models, user, conversation, ""))
    window = window_for(conversation, model)
    thread = thread_view(conversation)
    messages = counted(thread)
    known = filled(conversation, messages, ratio_of(model), whole=not thread.earlier_url)
    parts = parts_of(conversation, messages, known.tokens, ratio_of(model))
    reserve = window.reserve(options_for(conversation, model).get("max_tokens") if model else None)
    url = reverse("chat:context", args=[conversation.pk])
    cuts = [message.cut for message in thread.messages if message.cut]
    return FillingView(
        title=thread.title,
        url=url,
        back_url=thread.url,
        settings_url=reverse("chat:settings", args=[conversation.pk]),
        carry_on_url=reverse("chat:carry-on", args=[conversation.pk]) if thread.messages else "",
        model=str(model) if model else "",
        meter=meter_of(conversation, known, window, ratio_of(model)),
        parts=tuple(rows(parts, reserve, window, known.tokens)),
        exact=known.exact,
        source=source_sentence(window, model),
        choices=tuple(
            (value, str(label), value == conversation.overflow) for value, label in Overflow.choices
        ),
        cut=thread.end_cut or (cuts[-1] if cuts else line_in_force(conversation)),
    )


def parts_of(
    conversation: Conversation, messages: Sequence[MessageView], tokens: int, ratio: float
) -> dict[str, int]:
    """Part -> tokens, which together are that many: as the last answer found them, else as they are now."""
    for message in reversed(messages):
        if found := message.context.get("parts"):
            return scaled(dict(found), tokens)
    now = {part.name: estimate.of_system(part.text).tokens(ratio) for part in system_parts(conversation)}
    now[HISTORY] = sum(size_of(message).tokens(ratio) for message in messages)
    return scaled(now, tokens)


def scaled(parts: dict[str, int], tokens: int) -> dict[str, int]:
    """The parts, so that they are that many tokens together. What came since belongs to the conversation."""
    before = sum(parts.values()) - parts.get(HISTORY, 0)
    if before > tokens:
        return {name: value * tokens // (sum(parts.values()) or 1) for name, value in parts.items()}
    return {**parts, HISTORY: tokens - before}


def rows(parts: dict[str, int], reserve: int, window: Window, tokens: int) -> list[FillingPart]:
    """The parts in the order in which they are sent, then what is left."""
    labels = {
        PROMPT: _("System prompt"),
        PROJECT: _("Project instructions"),
        PROJECT_FILES: _("Project files"),
        MEMORY: _("Project memory"),
        TOOLS: _("Tools"),
        SUMMARY: _("Summary"),
        FILES: _("Files"),
        HISTORY: _("Messages"),
        RESERVE: _("Kept for the answer"),
        FREE: _("Free"),
    }
    found = {name: parts[name] for name in (*labels, *parts) if parts.get(name)}
    if window.tokens:
        found[RESERVE] = reserve
        found[FREE] = max(window.tokens - reserve - tokens, 0)
    total = max(window.tokens or 0, sum(parts.values()), 1)
    return [
        FillingPart(name, labels.get(name, name.capitalize()), number(value), round(100 * value / total))
        for name, value in found.items()
    ]


def source_sentence(window: Window, model: CatalogueModel | None) -> str:
    """How the size of the window is known."""
    if window.tokens is None or model is None:
        return _("The AI server does not tell how much this model reads at once.")
    values = {"window": number(window.tokens), "server": model.backend.name}
    return {
        Source.ASKED: _("This hub asks “%(server)s” for a window of %(window)s tokens."),
        Source.ALLOCATED: _("“%(server)s” has allocated a window of %(window)s tokens."),
        Source.LIMIT: _(
            "The model can take %(window)s tokens. What “%(server)s” gives it is known once it is loaded."
        ),
    }[window.source] % values

"""How full the window of a conversation's model is, from what the page has read already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat.generation import estimate
from chat.generation.allocated import window_of
from chat.generation.estimate import USUAL, Size
from chat.generation.sampling import options_for
from chat.generation.system import joined, system_parts
from chat.generation.window import Source, Window
from chat.models import Conversation
from chat.presenters.message import MessageView
from chat.presenters.meter import MeterView
from chat.presenters.thread import ThreadView

#: The share of the window from which on the meter warns.
NEAR = 0.75


@dataclass(frozen=True, slots=True)
class Filled:
    """Tokens that the next request takes before its question. ``at_least``: there may be more above the page."""

    tokens: int
    exact: bool = False
    at_least: bool = False


def meter_view(conversation: Conversation, thread: ThreadView, model: CatalogueModel | None) -> MeterView:
    """The meter of a page that shows the end of the conversation. No query."""
    known = filled(conversation, counted(thread), ratio_of(model), whole=not thread.earlier_url)
    return meter_of(conversation, known, window_for(conversation, model), ratio_of(model))


def meter_after(conversation: Conversation, answer: MessageView, model: CatalogueModel | None) -> MeterView:
    """The meter once that answer has ended, which knows what was sent. No query."""
    known = filled(conversation, (answer,), ratio_of(model), whole=False)
    return meter_of(conversation, known, window_for(conversation, model), ratio_of(model))


def counted(thread: ThreadView) -> tuple[MessageView, ...]:
    """The messages of which something is sent; what was counted before the line was where it is now tells nothing."""
    if thread.end_cut and thread.end_cut.is_in_force:
        return ()
    first = next((one.id for one in reversed(thread.messages) if one.cut and one.cut.is_in_force), None)
    if first is None and thread.earlier_url:  # a line may be above this page
        return thread.messages
    everything = (None, *(one.id for one in thread.messages[:1]))
    true = everything if first is None else (first,)
    return tuple(
        one if one.context.get("first") in true else replace(one, context={}) for one in thread.messages
    )


def ratio_of(model: CatalogueModel | None) -> float:
    """Bytes for each token of that model."""
    return (model.bytes_per_token if model else None) or USUAL


def window_for(conversation: Conversation, model: CatalogueModel | None) -> Window:
    """The window that a question to that model would get."""
    return (
        window_of(model.backend, model, options_for(conversation, model).get("context_length"))
        if model
        else Window()
    )


def filled(
    conversation: Conversation, messages: Sequence[MessageView], ratio: float, *, whole: bool
) -> Filled:
    """Exact up to the last answer that its server has counted, estimated from there on.

    ``whole``: there are no messages before these.
    """
    size = Size()
    for message in reversed(messages):
        known = message.context
        if "input" in known:
            rest = size.tokens(ratio)
            return Filled(known["input"] + known.get("output", 0) + rest, exact=not rest)
        if "needed" in known:
            return Filled(known["needed"])
        size += size_of(message)
        if parts := known.get("parts"):
            return Filled(sum(parts.values()) + size.tokens(ratio))
        if message.cut and message.cut.is_in_force:
            size += estimate.of_text(message.cut.summary)
            break
    else:
        size += system_size(conversation)
        return Filled(size.tokens(ratio), at_least=not whole)
    return Filled((size + system_size(conversation)).tokens(ratio))


def system_size(conversation: Conversation) -> Size:
    """About what the system text takes, without the files of a project. No query where that has no variables."""
    return estimate.of_system(joined(system_parts(conversation)))


def size_of(message: MessageView) -> Size:
    """About what a message takes; nothing where it will not be sent."""
    if not message.text and message.role != "user":
        return Size()
    return estimate.of_text(message.text) + Size(
        turns=1, images=sum(bool(a.width) for a in message.attachments)
    )


def meter_of(conversation: Conversation, found: Filled, window: Window, ratio: float) -> MeterView:
    """The meter in words."""
    url = reverse("chat:context", args=[conversation.pk])
    if window.tokens is None:
        text = used_text(found)
        note = _("How much this model reads at once is not known.")
        return MeterView(url, "unknown", text, said(text, note), found.tokens, None, ratio)
    text = share_text(found, window.tokens)
    note = _("That is the most: the server may give the model less.") if window.source is Source.LIMIT else ""
    full = level(found, window.tokens)
    return MeterView(url, full, text, said(text, note), found.tokens, window.tokens, ratio)


def used_text(found: Filled) -> str:
    """What is filled, of a window that nobody knows."""
    values = {"used": number(found.tokens)}
    if found.exact:
        return _("%(used)s tokens") % values
    return (_("more than %(used)s tokens") if found.at_least else _("about %(used)s tokens")) % values


def share_text(found: Filled, window: int) -> str:
    """What is filled of a window."""
    values = {"used": number(found.tokens), "window": number(window)}
    if found.exact:
        return _("%(used)s of %(window)s tokens") % values
    if found.at_least:
        return _("more than %(used)s of %(window)s tokens") % values
    return _("about %(used)s of %(window)s tokens") % values


def said(text: str, note: str) -> str:
    """A whole sentence, and what else there is to know."""
    return f"{text[:1].upper()}{text[1:]}. {note}".strip()


def level(found: Filled, window: int) -> str:
    """How near the end of the window is."""
    if found.tokens > window:
        return "over"
    return "near" if found.tokens > NEAR * window else "ok"


def number(value: int) -> str:
    """A number with its thousands apart."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)

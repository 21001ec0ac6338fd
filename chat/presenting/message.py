"""Messages as the thread shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from chat.attachments import attachment_views, with_attachments
from chat.cards import NONE as NO_CARDS
from chat.cards import Cards, cards_of, with_flags
from chat.generation import queue
from chat.generation.supervisor import waiting_sentence
from chat.markdown import render, render_user
from chat.models import Conversation, Generation, Message, MessageRole, Status
from chat.presenters.message import MessageView
from chat.presenting.citations import citations_of
from chat.presenting.endings import can_continue, error_view, facts, model_label, note, thought_tokens
from chat.presenting.excerpts import excerpts_view
from chat.presenting.versions import versions_of
from chat.rendered import rendered, rendered_answer
from chat.waiting import waiting_view


def message_views(ids: Sequence[int], conversation: Conversation | None = None) -> tuple[MessageView, ...]:
    """The messages with these ids as shown, each with the newest generation that wrote it.

    The texts are read last: an answer that is saved meanwhile must not look ended without its text.
    ``conversation`` is the one that shows them, without it that of the messages.
    """
    rows_of_runs = Generation.objects.filter(message_id__in=ids).defer("receipt").order_by("created_at")
    generations = list(with_flags(rows_of_runs))
    newest = {generation.message_id: generation for generation in generations}
    earlier: dict[int, list[Generation]] = {}
    for generation in generations:
        if newest[generation.message_id] is not generation:
            earlier.setdefault(generation.message_id, []).append(generation)
    cards = cards_of(generations)
    rows = Message.objects.in_bulk(ids)
    found = with_attachments([rows[pk] for pk in ids if pk in rows])
    views = [
        message_view(row, newest.get(row.pk), cards.get(row.pk, NO_CARDS), earlier.get(row.pk, ()))
        for row in found
    ]
    return in_their_places(found, views, conversation)


def in_their_places(
    rows: Sequence[Message], views: Sequence[MessageView], conversation: Conversation | None
) -> tuple[MessageView, ...]:
    """The messages with their other versions, and with what a fork that shares them adds."""
    versions = versions_of(rows, conversation)
    if not versions and (conversation is None or conversation.forked_from_id is None):
        return tuple(views)
    conversation = conversation or rows[0].conversation
    return tuple(
        replace(view, versions=versions.get(row.pk), **shared_with(row, conversation))
        for row, view in zip(rows, views, strict=True)
    )


def shared_with(row: Message, conversation: Conversation) -> dict[str, Any]:
    """What is different where a fork shows a message that it shares: it can't change it."""
    if row.conversation_id == conversation.pk:
        return {}
    return {"query": f"?conversation={conversation.pk}", "can_delete": False, "can_continue": False}


def one_message_view(message_id: int) -> MessageView | None:
    """A single message as shown, None where it was deleted meanwhile."""
    return next(iter(message_views([message_id])), None)


def message_view(
    row: Message,
    generation: Generation | None,
    cards: Cards = NO_CARDS,
    earlier: Sequence[Generation] = (),
) -> MessageView:
    """One message as shown. ``earlier`` are those that wrote it before the newest went on."""
    if row.role != MessageRole.ASSISTANT or generation is None:
        return plain_message(row)
    status = Status(generation.status)
    waiting = waiting_view(row, generation)
    place = place_of(generation) if status is Status.QUEUED and not waiting else None
    return MessageView(
        id=row.pk,
        role=row.role,
        status=status.value,
        html=answer_html(row.text, generation, cards, earlier),
        text=row.text,
        created=row.created_at,
        model_label=model_label(generation),
        backend_label="" if generation.alias else generation.backend_name,
        reasoning_html=safe(rendered(row.reasoning)) if row.reasoning else SafeString(""),
        reasoning_seconds=row.reasoning_seconds,
        reasoning_tokens=thought_tokens(generation, row),
        phase=queued_sentence(generation, place),
        queue_place=place,
        waiting=waiting,
        error=error_view(generation),
        note=note(generation, row),
        facts=facts(generation) if not generation.is_active else (),
        generation_id=str(generation.pk),
        can_retry=not generation.is_active,
        can_continue=can_continue(generation, row),
        can_delete=not generation.is_active,
        context=generation.context,
        activities=cards[0],
        asks=cards[1],
        excerpts=excerpts_view(generation, row.text),
    )


def answer_html(text: str, generation: Generation, cards: Cards, earlier: Sequence[Generation]) -> SafeString:
    """An answer as HTML; once it has ended the marks of its sources are links."""
    if generation.status == Status.RUNNING:
        return safe(render(text))
    return safe(rendered_answer(text, citations_of(cards[0], [*earlier, generation])))


def beginning_answer(message_id: int, label: str) -> MessageView:
    """An answer that has just begun: what its row would say, without asking for it."""
    return MessageView(
        id=message_id,
        role=MessageRole.ASSISTANT.value,
        status=Status.RUNNING.value,
        html=SafeString(""),
        text="",
        created=timezone.now(),
        model_label=label,
    )


def plain_message(row: Message) -> MessageView:
    """A message that no model wrote."""
    html = rendered(row.text, render_user) if row.role == MessageRole.USER else rendered(row.text)
    return MessageView(
        id=row.pk,
        role=row.role,
        status=Status.COMPLETED.value,
        html=safe(html),
        text=row.text,
        created=row.created_at,
        can_retry=row.role == MessageRole.ASSISTANT and row.parent_id is not None,
        can_delete=True,
        edited=row.edited,
        attachments=attachment_views(row),
    )


def safe(html: str) -> SafeString:
    """HTML that the Markdown renderer made; it lets no markup of the text through."""
    return mark_safe(html)  # noqa: S308


def queued_sentence(generation: Generation, place: int | None) -> str:
    """What the page says while an answer waits for its turn; empty where it does not."""
    if not place:
        return ""
    if generation.after_id is not None:
        return _("Waits for its turn: one at a time, so that the times can be compared.")
    return waiting_sentence(place)


def place_of(generation: Generation) -> int:
    """The place in line, from 1."""
    return queue.places(generation.backend_id).get(generation.message_id, ("", 1))[1]

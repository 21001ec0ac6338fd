"""Rows to the plain values that templates show."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backends.adapters.events import FinishReason
from chat.attachments import attachment_views, with_attachments
from chat.cards import NONE as NO_CARDS
from chat.cards import Cards, cards_of, seconds, with_flags
from chat.generation import queue
from chat.generation.run import ToolsEnd
from chat.generation.supervisor import waiting_sentence
from chat.markdown import render, render_user
from chat.models import Conversation, Generation, Message, MessageRole, Status
from chat.picker import begins_with, model_groups
from chat.presenters import (
    ComposerView,
    ConversationGroup,
    ConversationItem,
    ErrorView,
    Fact,
    MessageView,
    SidebarView,
    ThreadView,
)
from chat.rendered import rendered
from chat.services.models import Offer, usable_models
from chat.services.uploads import ACCEPT
from chat.tool_pages import tools_hint
from chat.tools.switches import wanted
from chat.waiting import waiting_view

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Messages that a thread shows at once; earlier ones come on the way up.
THREAD_PAGE = 30
#: Conversations that the sidebar lists at once.
SIDEBAR_PAGE = 60


def thread_view(conversation: Conversation, before: int | None = None) -> ThreadView:
    """A conversation with the last messages of its path, or the last before one. A fixed number of queries."""
    ids = conversation.path_ids()
    end = ids.index(before) if before in ids else len(ids)
    start = max(0, end - THREAD_PAGE)
    messages = message_views(ids[start:end])
    earlier_url = f"{conversation.get_absolute_url()}?before={ids[start]}" if start else ""
    return thread_of(conversation, messages, earlier_url)


def new_thread(
    conversation: Conversation, question: Message, answer: Message, generation: Generation
) -> ThreadView:
    """A conversation that has just begun: what :func:`thread_view` would read, without reading it."""
    return thread_of(conversation, (message_view(question, None), message_view(answer, generation)))


def thread_of(
    conversation: Conversation, messages: tuple[MessageView, ...], earlier_url: str = ""
) -> ThreadView:
    """The conversation with these messages."""
    return ThreadView(
        id=str(conversation.pk),
        title=conversation.title or _("New chat"),
        url=conversation.get_absolute_url(),
        socket_path=f"/ws/conversations/{conversation.pk}/?revision={conversation.revision}",
        revision=conversation.revision,
        messages=messages,
        earlier_url=earlier_url,
        system_prompt=conversation.system_prompt,
        has_options=bool(conversation.options or conversation.system_prompt),
        active=any(message.is_active for message in messages),
    )


def message_views(ids: Sequence[int]) -> tuple[MessageView, ...]:
    """The messages with these ids as shown, each with the newest generation that wrote it.

    The texts are read last: an answer that is saved meanwhile must not look ended without its text.
    """
    generations = list(with_flags(Generation.objects.filter(message_id__in=ids)).order_by("created_at"))
    newest = {generation.message_id: generation for generation in generations}
    cards = cards_of(generations)
    rows = Message.objects.in_bulk(ids)
    found = with_attachments([rows[pk] for pk in ids if pk in rows])
    return tuple(message_view(row, newest.get(row.pk), cards.get(row.pk, NO_CARDS)) for row in found)


def one_message_view(message_id: int) -> MessageView | None:
    """A single message as shown, None where it was deleted meanwhile."""
    return next(iter(message_views([message_id])), None)


def message_view(row: Message, generation: Generation | None, cards: Cards = NO_CARDS) -> MessageView:
    """One message as shown."""
    if row.role != MessageRole.ASSISTANT or generation is None:
        return plain_message(row)
    status = Status(generation.status)
    waiting = waiting_view(row, generation)
    place = place_of(generation) if status is Status.QUEUED and not waiting else None
    return MessageView(
        id=row.pk,
        role=row.role,
        status=status.value,
        html=safe(render(row.text) if status is Status.RUNNING else rendered(row.text)),
        text=row.text,
        created=row.created_at,
        model_label=model_label(generation),
        backend_label=generation.backend_name,
        reasoning_html=safe(rendered(row.reasoning)) if row.reasoning else SafeString(""),
        reasoning_seconds=row.reasoning_seconds,
        phase=waiting_sentence(place) if place else "",
        queue_place=place,
        waiting=waiting,
        error=error_view(generation),
        note=note(generation, row),
        facts=facts(generation) if not generation.is_active else (),
        generation_id=str(generation.pk),
        can_retry=not generation.is_active,
        can_continue=can_continue(generation, row),
        can_delete=not generation.is_active,
        activities=cards[0],
        asks=cards[1],
    )


def model_label(generation: Generation) -> str:
    """What the page calls the model; never empty."""
    return generation.model_name or generation.model_id


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
        can_delete=True,
        attachments=attachment_views(row),
    )


def safe(html: str) -> SafeString:
    """HTML that the Markdown renderer made; it lets no markup of the text through."""
    return mark_safe(html)  # noqa: S308


def place_of(generation: Generation) -> int:
    """The place in line, from 1."""
    return queue.places(generation.backend_id).get(generation.message_id, ("", 1))[1]


def can_continue(generation: Generation, row: Message) -> bool:
    """Whether the answer ended before its end."""
    cut = generation.status in (Status.STOPPED, Status.INTERRUPTED, Status.FAILED)
    cut = cut or generation.finish_reason in (FinishReason.LENGTH, FinishReason.INCOMPLETE)
    return bool(row.text or row.has_steps) and cut and not generation.is_active


def error_view(generation: Generation) -> ErrorView | None:
    """What went wrong, None where nothing did."""
    if generation.status != Status.FAILED:
        return None
    return ErrorView(
        generation.error_kind, generation.error_message or _("The answer failed."), generation.error_hint
    )


def note(generation: Generation, row: Message) -> str:
    """What there is to know about the answer: how it ended, and what the model did not get."""
    if generation.is_active:
        return ""
    return " ".join(filter(None, (ending(generation, row), left_out(generation))))


def left_out(generation: Generation) -> str:
    """A sentence where the model was not sent the images of the conversation."""
    count = generation.images_left_out
    if not count:
        return ""
    sentence = ngettext(
        "%(model)s can’t see images: %(count)d image of this conversation was left out.",
        "%(model)s can’t see images: %(count)d images of this conversation were left out.",
        count,
    )
    return sentence % {"model": model_label(generation), "count": count}


def ending(generation: Generation, row: Message) -> str:
    """A sentence about how the answer ended, where it is not the ordinary way."""
    if generation.status == Status.STOPPED:
        return _("You stopped this answer.")
    if generation.status == Status.INTERRUPTED:
        return _("The hub was restarted while this was being written. The text up to then was kept.")
    if generation.status != Status.COMPLETED:
        return ""
    if end := tools_end(generation):
        return end
    return {
        FinishReason.LENGTH: _("The answer reached the length limit."),
        FinishReason.CONTENT_FILTER: _("The AI server's content filter ended this answer."),
        FinishReason.INCOMPLETE: _(
            "The AI server closed the connection without saying that the answer was complete."
        ),
    }.get(FinishReason(generation.finish_reason or "unknown")) or (
        _("The model ended without an answer.") if not row.text else ""
    )


def tools_end(generation: Generation) -> str:
    """Why the model's calls ended before it was done."""
    return {
        ToolsEnd.STEPS.value: _("The model called tools too many times; it answered with what it had."),
        ToolsEnd.TIME.value: _("The model’s tools took too long; it answered with what it had."),
        ToolsEnd.REPEATED.value: _("The model repeated itself; it answered with what its tools had given."),
        ToolsEnd.REFUSED.value: _("This model can’t use tools, so it was asked without them."),
    }.get(generation.details.get("tools_end", ""), "")


def facts(generation: Generation) -> tuple[Fact, ...]:
    """What was measured: model, first token, speed, tokens, why it ended."""
    found = [Fact("model", _("Model"), model_label(generation))]
    other = generation.answered_by
    if other and other not in (generation.model_id, generation.model_name):
        found.append(Fact("answered_by", _("Answered by"), other))
    if generation.ttft_ms is not None:
        found.append(Fact("ttft", _("First token"), seconds(generation.ttft_ms / 1000)))
    if generation.tokens_per_second:
        speed = formats.number_format(generation.tokens_per_second, 1)
        found.append(Fact("speed", _("Speed"), _("%(speed)s tokens/s") % {"speed": speed}))
    if generation.output_tokens is not None:
        tokens = formats.number_format(generation.output_tokens, use_l10n=True, force_grouping=True)
        found.append(Fact("tokens", _("Tokens"), _("%(count)s tokens") % {"count": tokens}))
    if generation.finish_reason:
        found.append(Fact("finish", _("Ended"), finish_label(generation.finish_reason)))
    return tuple(found)


def finish_label(reason: str) -> str:
    """Why it ended, in words."""
    return {
        FinishReason.STOP.value: _("complete"),
        FinishReason.LENGTH.value: _("length limit"),
        FinishReason.TOOL_CALLS.value: _("asked for a tool"),
        FinishReason.CONTENT_FILTER.value: _("content filter"),
        FinishReason.CANCELLED.value: _("stopped"),
        FinishReason.INCOMPLETE.value: _("cut off"),
    }.get(reason, _("unknown"))


def composer_view(
    user: User,
    conversation: Conversation | None,
    *,
    draft: str = "",
    error: str = "",
    ref: str = "",
    models: list[Offer] | None = None,
    active: bool | None = None,
) -> ComposerView:
    """The form for the next question. ``active``: whether an answer is being written, where that is known."""
    models = usable_models(user) if models is None else models
    if active is None:
        active = conversation is not None and (
            Generation.objects.active().filter(message__conversation=conversation).exists()
        )
    return ComposerView(
        action=reverse("chat:send", args=[conversation.pk]) if conversation else reverse("chat:create"),
        key=submission_key(),
        models=model_groups(models, user, conversation, ref),
        stop_url=reverse("chat:stop", args=[conversation.pk]) if conversation else "",
        active=active,
        draft=draft,
        error=error,
        accept=ACCEPT,
        tools_hint=hint_about_tools(models, user, conversation, ref),
    )


def hint_about_tools(models: list[Offer], user: User, conversation: Conversation | None, ref: str) -> str:
    """A sentence where tools are wanted, but the model that the picker begins with knows none."""
    if not wanted(user.tools, conversation.tools if conversation else {}):
        return ""
    chosen = begins_with(models, user, conversation, ref)
    found = (offer.model for offer in models if offer.model.ref == chosen)
    return tools_hint(user, conversation, next(found, None))


def submission_key() -> str:
    """What makes a repeated submit of one form harmless."""
    return secrets.token_urlsafe(16)


def sidebar_view(user: User, current: Conversation | None = None, before: str = "") -> SidebarView:
    """The person's conversations, the newest first, grouped by date. Two queries."""
    rows = Conversation.objects.owned_by(user).only("id", "title", "updated_at")
    if before and (moment := parsed(before)):
        rows = rows.filter(updated_at__lt=moment)
    found = list(rows[: SIDEBAR_PAGE + 1])
    shown = found[:SIDEBAR_PAGE]
    running = set(
        Generation.objects.active()
        .filter(message__conversation__in=[row.pk for row in shown])
        .values_list("message__conversation_id", flat=True)
    )
    groups: dict[str, list[ConversationItem]] = {}
    for row in shown:
        item = conversation_item(
            row, is_current=bool(current and row.pk == current.pk), is_running=row.pk in running
        )
        groups.setdefault(date_label(row.updated_at), []).append(item)
    more = (
        f"{reverse('chat:sidebar')}?before={shown[-1].updated_at.timestamp()}"
        if len(found) > len(shown)
        else ""
    )
    return SidebarView(
        groups=tuple(ConversationGroup(label, tuple(items)) for label, items in groups.items()), more_url=more
    )


def newest_group(row: Conversation) -> ConversationGroup:
    """The group of a conversation in which something was just asked."""
    item = conversation_item(row, is_current=True, is_running=True)
    return ConversationGroup(date_label(row.updated_at), (item,))


def conversation_item(
    row: Conversation, *, is_current: bool = False, is_running: bool = False
) -> ConversationItem:
    """One line of the list."""
    return ConversationItem(
        id=str(row.pk),
        title=row.title or _("New chat"),
        url=row.get_absolute_url(),
        is_current=is_current,
        is_running=is_running,
    )


def parsed(timestamp: str) -> datetime | None:
    """The moment that a link names by its Unix time."""
    try:
        return datetime.fromtimestamp(float(timestamp), tz=timezone.get_current_timezone())
    except (ValueError, OverflowError, OSError):
        return None


def date_label(moment: datetime) -> str:
    """The group of a date: today, yesterday, the last week or month, else the month."""
    today = timezone.localdate()
    day = timezone.localdate(moment)
    if day >= today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if day > today - timedelta(days=7):
        return _("Previous 7 days")
    if day > today - timedelta(days=30):
        return _("Previous 30 days")
    return formats.date_format(day, "YEAR_MONTH_FORMAT")

"""From a generation's row to the page of its receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from chat.access import is_deleted
from chat.comparing.page import compare_url, query_of
from chat.generation.rebuild import Rebuilt, rebuild
from chat.generation.texts import json_text
from chat.models import Conversation, Generation, Message
from chat.picker import model_groups
from chat.presenting.endings import model_label
from chat.receipts import curl, facts
from chat.receipts.views import PieceView, ReceiptView, RepeatedView, RoundView
from chat.sampling_form import option_facts
from chat.services.models import usable_models
from chat.services.repeating import ref_of

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Turns that the page shows at once, the last ones.
PAGE = 40
#: Characters of a turn that its heading shows.
START = 80


def receipt_view(
    user: User, generation: Generation, conversation: Conversation, *, whole: bool = False
) -> ReceiptView:
    """The page, from the conversation that shows the answer. ``whole``: with all turns. A fixed number of queries."""
    found = rebuild(generation)
    request = found.rounds[-1].request if found.rounds else None
    turns = request.messages if request else ()
    earlier = 0 if whole else max(0, len(turns) - PAGE)
    address = receipt_url(generation.pk, generation.message, conversation)
    first = found.rounds[0].request if found.rounds else None
    return ReceiptView(
        kept=bool(found.rounds),
        same=found.same,
        changes=changes(generation, found),
        model_label=model_label(generation),
        facts=facts.facts(generation),
        options=option_facts(generation.receipt.get("options", {})),
        system=piece(_("System text"), first.system) if first and first.system else None,
        tools=tool_views(first) if first else (),
        turns=tuple(map(turn_view, turns[earlier:])),
        cut=cut_sentence(generation, found),
        earlier=earlier,
        earlier_url=f"{address}{'&' if '?' in address else '?'}all=1" if earlier else "",
        rounds=tuple(
            RoundView(number, entry.sha256, entry.same, entry.tools)
            for number, entry in enumerate(found.rounds, 1)
        ),
        sha256=found.rounds[-1].sha256 if found.rounds else "",
        request_url=part_url(generation, "request", conversation),
        json_url=part_url(generation, "receipt", conversation),
        curl=command(user, generation, request),
        body_url=part_url(generation, "body", conversation),
        repeat_url=repeat_url(generation) if found.rounds else "",
        names_model=bool(ref_of(generation)),
        repeated=repeated_view(user, generation, conversation),
        models=model_groups(usable_models(user), user, conversation, ""),
        compare_url=compare_url(generation.message, conversation),
        conversation_id=str(conversation.pk),
        thread_url=conversation.get_absolute_url(),
        thread_title=conversation.title,
    )


def receipt_url(generation_id: UUID, answer: Message, conversation: Conversation) -> str:
    """The page, from that conversation."""
    return reverse("chat:receipt", args=[generation_id]) + query_of(answer, conversation)


def part_url(generation: Generation, part: str, conversation: Conversation) -> str:
    """Where a part of it can be kept as a file, from that conversation."""
    address = reverse("chat:receipt-part", args=[generation.pk, part])
    return address + query_of(generation.message, conversation)


def repeat_url(generation: Generation) -> str:
    """Where it is sent again; empty where only a part of an answer was asked for."""
    return "" if generation.continues else reverse("chat:generation-repeat", args=[generation.pk])


def repeated_view(user: User, generation: Generation, conversation: Conversation) -> RepeatedView | None:
    """Whose request it was, None where it was its own or nobody sees that answer any more."""
    if generation.repeats is None:
        return None
    rows = Generation.objects.filter(message__conversation__owner=user, alias="")
    other = rows.select_related("message__conversation").filter(pk=generation.repeats).first()
    shared = other is not None and conversation.shares(other.message_id)
    if other is None or (is_deleted(other.message) and not shared):
        return None
    digests = [row.receipt.get("rounds", [{}])[0].get("sha256") for row in (generation, other)]
    return RepeatedView(
        receipt_url(other.pk, other.message, conversation if shared else other.message.conversation),
        model_label(other),
        digests[0] == digests[1] is not None,
    )


def cut_sentence(generation: Generation, found: Rebuilt) -> str:
    """What there is to know of older messages; empty where all were sent."""
    if not found.rows or found.rows[0].parent_id is None or found.gone:
        return ""
    if generation.receipt.get("summary"):
        return _("Older messages were not sent; the first one below begins with a summary of them.")
    return _("Older messages were not sent.")


def changes(generation: Generation, found: Rebuilt) -> tuple[str, ...]:
    """What is different now, as far as it can be told."""
    if found.same or not found.rounds:
        return ()
    told = []
    if gone := len(found.gone):
        sentence = ngettext(
            "%(count)d message that was sent has been deleted since.",
            "%(count)d messages that were sent have been deleted since.",
            gone,
        )
        told.append(sentence % {"count": gone})
    later = Generation.objects.filter(continues=True, created_at__gt=generation.created_at)
    if later.filter(message__in=[row.pk for row in found.rows]).exists():
        told.append(_("An answer that was sent has been continued since."))
    return tuple(told) or (
        _("A file may be gone, or a newer version of the hub puts requests together differently."),
    )


def piece(label: str, text: str) -> PieceView:
    """A text that unfolds."""
    flat = " ".join(text.split())
    start = flat[:START] + ("…" if len(flat) > START else "")
    return PieceView(label, characters(len(text)), text, start)


def characters(count: int) -> str:
    """A length in words."""
    number = formats.number_format(count, use_l10n=True, force_grouping=True)
    return ngettext("%(count)s character", "%(count)s characters", count) % {"count": number}


def tool_views(request: ChatRequest) -> tuple[PieceView, ...]:
    """Each tool on offer with its description and the schema of its arguments."""
    return tuple(
        piece(tool.name, f"{tool.description}\n\n{json_text(tool.parameters, 100_000)}".strip())
        for tool in request.tools
    )


def turn_view(message: ChatMessage) -> PieceView:
    """One turn as it was sent."""
    labels = {Role.USER: _("You"), Role.ASSISTANT: _("Assistant"), Role.TOOL: _("Tool")}
    text = "\n\n".join(filter(None, (shown(part) for part in message.parts)))
    if message.reasoning:
        text = f"{message.reasoning}\n\n{text}"
    return piece(labels.get(message.role, message.role.value), text)


def shown(part: object) -> str:
    """A part of a turn as text."""
    match part:
        case TextPart():
            return part.text.strip("\n")
        case ImagePart():
            return _("[Image, %(type)s, %(count)d bytes]") % {
                "type": part.media_type,
                "count": len(part.data),
            }
        case ToolCallPart():
            return _("[Calls %(name)s] %(arguments)s") % {
                "name": part.name,
                "arguments": json_text(part.arguments, 20_000),
            }
        case ToolResultPart():
            return part.content
        case _:
            return ""


def command(user: User, generation: Generation, request: ChatRequest | None) -> str:
    """The request as a curl command; only administrators are told the address."""
    if request is None or generation.backend is None:
        return ""
    wire = curl.wire_request(generation.backend, request)
    return curl.command(generation.backend, wire, shows_address=user.is_staff) if wire else ""

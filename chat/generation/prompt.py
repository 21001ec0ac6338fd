"""From rows to what an adapter is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from backends.adapters.base import Endpoint
from backends.adapters.messages import ChatMessage, ChatRequest, Reasoning, Role, SamplingOptions, TextPart
from backends.models import Backend, CatalogueModel
from chat.generation.memory import fingerprint, remembered
from chat.models import Generation, Message, MessageRole

#: How a model is asked to go on with an answer that was cut off.
CONTINUE = (
    "Continue your previous answer exactly where it stopped, in the same format and language. "
    "Do not repeat anything and do not comment."
)


class BackendGone(Exception):
    """The backend of a generation was deleted or switched off."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a run needs, read from rows at once.

    ``fingerprint`` is that of what the model is sent (see ``memory``).
    """

    generation: Generation
    backend: Backend
    endpoint: Endpoint
    request: ChatRequest
    fingerprint: str
    text: str
    reasoning: str


def prepare(generation_id: UUID) -> Prepared:
    """Read what the run needs. Raises Generation.DoesNotExist, BackendGone, CannotDecrypt."""
    generation = Generation.objects.select_related("message__conversation", "backend").get(pk=generation_id)
    backend = generation.backend
    if backend is None or not backend.enabled:
        raise BackendGone
    message = generation.message
    request = build_request(generation, message)
    return Prepared(
        generation=generation,
        backend=backend,
        endpoint=backend.endpoint(),
        request=request,
        fingerprint=fingerprint(request.system, request.messages),
        text=message.text,
        reasoning=message.reasoning,
    )


def build_request(generation: Generation, answer: Message) -> ChatRequest:
    """The whole conversation up to the answer, with its system prompt and options."""
    conversation = answer.conversation
    system = conversation.system_prompt.strip()
    rows = history(answer)
    path = [row.pk for row in rows]
    messages = alternating(chat_message(row) for row in rows)
    if generation.continues:
        path.append(answer.pk)
        messages += [ChatMessage.of(Role.ASSISTANT, answer.text), ChatMessage.of(Role.USER, CONTINUE)]
    return ChatRequest(
        model=generation.model_id,
        messages=tuple(messages),
        system=system,
        sampling=sampling(generation.options),
        conversation_id=str(conversation.pk),
        title=conversation.title,
        state=remembered(generation, path, system, messages),
        capabilities=known_capabilities(generation),
    )


def known_capabilities(generation: Generation) -> frozenset[str] | None:
    """What the catalogue knows of the model; None where its server does not tell or the row is gone."""
    rows = CatalogueModel.objects.filter(backend=generation.backend, model_id=generation.model_id)
    known = rows.values_list("capabilities", flat=True).first()
    return None if known is None else frozenset(known)


def history(answer: Message) -> list[Message]:
    """The messages before the answer, first to last; assistant turns that said nothing are left out."""
    by_id = {
        row.pk: row
        for row in Message.objects.filter(conversation_id=answer.conversation_id, pk__lt=answer.pk)
    }
    path: list[Message] = []
    step = by_id.get(answer.parent_id) if answer.parent_id else None
    while step is not None:
        if step.text or step.role == MessageRole.USER:
            path.append(step)
        step = by_id.get(step.parent_id) if step.parent_id else None
    return path[::-1]


def chat_message(row: Message) -> ChatMessage:
    """A stored turn as adapters know it."""
    return ChatMessage.of(Role(row.role), row.text)


def alternating(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """Neighbours of one role as one turn: many chat templates refuse two turns of one speaker in a row.

    They meet where an answer failed without a word, or was deleted.
    """
    turns: list[ChatMessage] = []
    for message in messages:
        if turns and turns[-1].role is message.role:
            gap = TextPart("\n\n")
            message = replace(message, parts=(*turns.pop().parts, gap, *message.parts))
        turns.append(message)
    return turns


def sampling(options: dict[str, object]) -> SamplingOptions:
    """Stored options, trusted only as far as the form that wrote them."""
    known = {
        name: value
        for name, value in options.items()
        if name in SamplingOptions.__slots__ and value is not None
    }
    if "stop" in known:
        known["stop"] = tuple(str(word) for word in known["stop"])  # type: ignore[attr-defined]
    if "reasoning" in known:
        known["reasoning"] = Reasoning(str(known["reasoning"]))
    return SamplingOptions(**known)  # type: ignore[arg-type]

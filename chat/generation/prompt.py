"""From rows to what an adapter is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from backends.adapters.base import Endpoint
from backends.adapters.messages import ChatMessage, ChatRequest, Reasoning, Role, SamplingOptions, TextPart
from backends.models import Backend, CatalogueModel
from chat.generation import receipt
from chat.generation.attached import Attached, note_left_out, read_attached
from chat.generation.memory import fingerprint, remembered
from chat.generation.steps import finished, sees, turns_of, without_tools
from chat.generation.system import joined, system_parts
from chat.models import Generation, Message, MessageRole, Step
from chat.models.path import way_up
from chat.tools.support import takes_tools
from chat.tools.switches import in_force, wanted

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: How a model is asked to go on with an answer that was cut off.
CONTINUE = (
    "Continue your previous answer exactly where it stopped, in the same format and language. "
    "Do not repeat anything and do not comment."
)


class BackendGone(Exception):
    """The backend of a generation was deleted or switched off."""


class NotAllowed(Exception):
    """Whoever asked may not use that backend or model any more."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a run needs, read from rows at once.

    ``fingerprint`` is that of what the model is sent (see ``memory``). ``wants_tools``: the person has switched
    tools on and the model may know them. ``has_steps``: the answer that goes on has called some already.
    """

    generation: Generation
    backend: Backend
    endpoint: Endpoint
    request: ChatRequest
    fingerprint: str
    text: str
    reasoning: str
    wants_tools: bool = False
    has_steps: bool = False


def prepare(generation_id: UUID) -> Prepared:
    """Read what the run needs. Raises Generation.DoesNotExist, BackendGone, NotAllowed, CannotDecrypt."""
    rows = Generation.objects.select_related(
        "message__conversation__owner",
        "message__conversation__project",
        "message__conversation__prompt",
        "backend",
    )
    generation = rows.get(pk=generation_id)
    model = CatalogueModel.objects.filter(backend=generation.backend, model_id=generation.model_id).first()
    return prepare_from(generation, model)


def prepare_from(generation: Generation, model: CatalogueModel | None) -> Prepared:
    """The same from rows that are at hand. Raises BackendGone, NotAllowed, CannotDecrypt."""
    backend = generation.backend
    if backend is None or not backend.enabled:
        raise BackendGone
    message = generation.message
    refuse_strangers(message.conversation.owner, backend, model)
    conversation = message.conversation
    able = takes_tools(backend.kind, model)
    request = build_request(generation, message, model)
    if not able:
        request = plain(request)
    generation.receipt |= receipt.about(backend, model, able=able)
    return Prepared(
        generation=generation,
        backend=backend,
        endpoint=backend.endpoint(),
        request=request,
        fingerprint=fingerprint(request.system, request.messages),
        text=message.text,
        reasoning=message.reasoning,
        wants_tools=able and wanted(in_force(conversation.owner, conversation)),
        has_steps=message.has_steps,
    )


def refuse_strangers(user: User, backend: Backend, model: CatalogueModel | None) -> None:
    """A message may have waited while a rule changed. Raises NotAllowed.

    A model that its server does not list at the moment goes by the rules that are known.
    """
    if not backend.is_open_to(user) or (model is not None and not model.is_open_to(user)):
        raise NotAllowed


def build_request(generation: Generation, answer: Message, model: CatalogueModel | None) -> ChatRequest:
    """The whole conversation up to the answer, with its system prompt and options."""
    conversation = answer.conversation
    system = joined(system_parts(conversation, generation.model_name))
    rows = history(answer)
    path = [row.pk for row in rows]
    generation.receipt = receipt.begin(rows, answer, continues=generation.continues)
    steps = steps_of([*rows, answer])
    attached = read_attached(rows, model)
    note_left_out(generation, attached.left_out)
    images = sees(known_capabilities(model))
    messages = alternating(
        turn for row in rows for turn in chat_messages(row, steps.get(row.pk, ()), attached, images=images)
    )
    if generation.continues:
        path.append(answer.pk)
        messages += begun(answer, steps.get(answer.pk, ()), images=images)
    return ChatRequest(
        model=generation.model_id,
        messages=tuple(messages),
        system=system,
        sampling=sampling(generation.options),
        conversation_id=str(conversation.pk),
        title=conversation.title,
        state=remembered(generation, path, system, messages),
        capabilities=known_capabilities(model),
    )


def plain(request: ChatRequest) -> ChatRequest:
    """The same for a model without tools. An answer whose last tool is forgotten is to be gone on with."""
    request = without_tools(request)
    if request.messages[-1].role is not Role.ASSISTANT:
        return request
    return replace(request, messages=(*request.messages, ChatMessage.of(Role.USER, CONTINUE)))


def known_capabilities(model: CatalogueModel | None) -> frozenset[str] | None:
    """What the catalogue knows of the model; None where its server does not tell or the row is gone."""
    return None if model is None or model.capabilities is None else frozenset(model.capabilities)


def history(answer: Message) -> list[Message]:
    """The messages before the answer, first to last; assistant turns that said nothing are left out."""
    question = answer.parent
    if question is None or question.parent_id is None:
        return [question] if question else []
    way = way_up(answer.conversation, question.pk)
    rows = Message.objects.filter(pk__in=way).order_by("pk")
    return [row for row in rows if row.text or row.has_steps or row.role == MessageRole.USER]


def steps_of(rows: list[Message]) -> Mapping[int, Sequence[Step]]:
    """The rounds of those that called tools. No query where none did."""
    called = [row.pk for row in rows if row.has_steps]
    return Step.of_messages(called) if called else {}


def chat_messages(
    row: Message, steps: Sequence[Step], attached: Attached, *, images: bool
) -> list[ChatMessage]:
    """A stored turn as adapters know it; an answer that took rounds is several."""
    if steps:
        return finished(list(turns_of(row, steps, sees=images)))
    return [attached.turn(row)]


def begun(answer: Message, steps: Sequence[Step], *, images: bool) -> list[ChatMessage]:
    """An answer to go on with: after what it said it is asked to, after a tool's result it does by itself."""
    turns = list(turns_of(answer, steps, sees=images))
    spoke = turns[-1:] and turns[-1].role is Role.ASSISTANT
    return [*turns, ChatMessage.of(Role.USER, CONTINUE)] if spoke else turns


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

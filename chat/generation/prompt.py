"""From rows to what an adapter is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID

from backends.adapters.base import Endpoint
from backends.adapters.messages import ChatMessage, ChatRequest, Role, SamplingOptions, TextPart
from backends.models import Backend, CatalogueModel
from chat.generation import estimate, receipt
from chat.generation.allocated import window_of, with_window
from chat.generation.attached import note_left_out
from chat.generation.cutting import NO_DEMAND, Demand, room_of, settled, shortened
from chat.generation.estimate import USUAL, Size
from chat.generation.fit import FILES, HISTORY, SUMMARY, TOOLS, Fit
from chat.generation.memory import fingerprint, remembered
from chat.generation.reach import Reach, known_capabilities, reach, steps_of
from chat.generation.reading import Shelf, room_for, shelf_of, shelf_text
from chat.generation.sampling import sampling_options
from chat.generation.steps import sees, turns_of, without_tools
from chat.generation.system import PROMPT, joined, system_parts
from chat.generation.window import Source, Window
from chat.models import Cut, Generation, Message, Step
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
    ``fit`` tells what fills the window, ``cut`` is the line above which nothing is sent.
    ``only_tools``: no others may be offered.
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
    fit: Fit = field(default_factory=Fit)
    cut: Cut | None = None
    demand: Demand = NO_DEMAND
    only_tools: frozenset[str] | None = None


def prepare(generation_id: UUID, demand: Demand = NO_DEMAND) -> Prepared:
    """Read what the run needs. Raises Generation.DoesNotExist, BackendGone, NotAllowed, CannotDecrypt, DoesNotFit."""
    rows = Generation.objects.select_related(
        "message__conversation__owner",
        "message__conversation__project",
        "message__conversation__prompt",
        "backend",
    )
    generation = rows.get(pk=generation_id)
    model = CatalogueModel.objects.filter(backend=generation.backend, model_id=generation.model_id).first()
    return prepare_from(generation, model, demand)


def prepare_from(
    generation: Generation,
    model: CatalogueModel | None,
    demand: Demand = NO_DEMAND,
) -> Prepared:
    """The same from rows that are at hand. Raises BackendGone, NotAllowed, CannotDecrypt, DoesNotFit."""
    backend = generation.backend
    if backend is None or not backend.enabled:
        raise BackendGone
    message = generation.message
    refuse_strangers(message.conversation.owner, backend, model)
    conversation = message.conversation
    able = takes_tools(backend.kind, model)
    built = again(generation, backend, model, demand) or build_request(generation, backend, model, demand)
    request = built.request if able else plain(built.request)
    only = built.only_tools
    wants = wanted(in_force(conversation.owner, conversation)) if only is None else bool(only)
    generation.receipt |= receipt.about(backend, model, able=able)
    return Prepared(
        generation=generation,
        backend=backend,
        endpoint=backend.endpoint(),
        request=request,
        fingerprint=fingerprint(request.system, request.messages),
        text=message.text,
        reasoning=message.reasoning,
        wants_tools=able and wants,
        has_steps=message.has_steps,
        fit=built.fit,
        cut=built.cut,
        demand=demand,
        only_tools=built.only_tools,
    )


def again(
    generation: Generation, backend: Backend, model: CatalogueModel | None, demand: Demand
) -> Built | None:
    """The request of another generation once more, None where this one is to ask by itself.

    It is cut like any other where the server has refused it as too long.
    """
    if generation.repeats is None or demand.window:
        return None
    from chat.generation.rebuild import repeated  # it is made of what is here

    found = repeated(generation, model)
    if found is None:
        return None
    request, tools = found
    window = known_window(backend, model, request.sampling, demand)
    known = model.bytes_per_token if model else None
    fit = Fit(window, window.reserve(request.sampling.max_tokens), demand.ratio or known or USUAL, known)
    fit = fit.having(PROMPT, estimate.of_system(request.system)).having(TOOLS, demand.tools)
    return Built(request, fit.having(HISTORY, estimate.of_messages(request.messages)), None, tools)


def refuse_strangers(user: User, backend: Backend, model: CatalogueModel | None) -> None:
    """A message may have waited while a rule changed. Raises NotAllowed.

    A model that its server does not list at the moment goes by the rules that are known.
    """
    if not backend.is_open_to(user) or (model is not None and not model.is_open_to(user)):
        raise NotAllowed


@dataclass(frozen=True, slots=True)
class Built:
    """A request, what it fills of the window, and the line above what it holds.

    ``only_tools``: no others may be offered with it.
    """

    request: ChatRequest
    fit: Fit
    cut: Cut | None
    only_tools: frozenset[str] | None = None


def build_request(
    generation: Generation, backend: Backend, model: CatalogueModel | None, demand: Demand
) -> Built:
    """The conversation up to the answer, as far as it fits, with its system prompt and options. Raises DoesNotFit."""
    answer = generation.message
    conversation = answer.conversation
    options = sampling_options(generation.options)
    window = known_window(backend, model, options, demand)
    going_on: list[ChatMessage] = []
    if generation.continues:
        own = steps_of([answer]).get(answer.pk, ())
        going_on = begun(answer, own, images=sees(known_capabilities(model)))
    known = model.bytes_per_token if model else None
    fit = Fit(window, window.reserve(options.max_tokens), demand.ratio or known or USUAL, known)
    shelf = shelf_of(conversation.project, room_for(window.tokens, fit.ratio))
    parts = system_parts(conversation, generation.model_name, shelf_text(shelf))
    for part in parts:
        fit = fit.having(part.name, estimate.of_system(part.text))
    fit = fit.having(TOOLS, demand.tools).having(HISTORY, estimate.of_messages(going_on))

    found, fit = fitted(answer, model, fit, demand, shelf)
    generation.receipt = receipt.begin(found.rows, answer, continues=generation.continues)
    if found.cut and found.cut.summary:
        generation.receipt["summary"] = found.cut.summary
    note_left_out(generation, found.left_out, found.told)
    turns = alternating(turn for turns in found.turns for turn in turns)
    messages = with_summary(turns, found.cut.summary if found.cut else "") + going_on
    path = [row.pk for row in found.rows] + ([answer.pk] if generation.continues else [])
    system = joined(parts)
    request = ChatRequest(
        model=generation.model_id,
        messages=tuple(messages),
        system=system,
        sampling=with_window(options, backend, window),
        conversation_id=str(conversation.pk),
        title=conversation.title,
        state=remembered(generation, path, system, messages),
        capabilities=known_capabilities(model),
    )
    return Built(request, fit, found.cut)


def known_window(
    backend: Backend, model: CatalogueModel | None, options: SamplingOptions, demand: Demand
) -> Window:
    """How much fits; what a refusal has told is the last word."""
    window = window_of(backend, model, options.context_length)
    return Window(demand.window, Source.ALLOCATED) if demand.window else window


def fitted(
    answer: Message, model: CatalogueModel | None, fit: Fit, demand: Demand, shelf: Shelf
) -> tuple[Reach, Fit]:
    """The turns that are sent, and the window with them in it. Raises DoesNotFit."""
    conversation = answer.conversation
    cuts = Cut.of(conversation)
    room = room_of(conversation, fit.window, fit.reserve, learned=fit.known is not None, sure=demand.sure)
    found = reach(answer, model, cuts, room, fit.ratio, shelf)
    if found.cut:
        fit = fit.having(SUMMARY, estimate.of_text(found.cut.summary))
    if room is not None:
        found = shortened(conversation, found, fit, room)
        settled(conversation, cuts)
    files = sum(found.files, Size())
    turns = sum(found.sizes, fit.sizes[HISTORY])
    rest = Size(turns.text - files.text, turns.turns, turns.images - files.images)
    summary = estimate.of_text(found.cut.summary) if found.cut else Size()
    fit = fit.having(FILES, files).having(HISTORY, rest).having(SUMMARY, summary)
    first = found.rows[0].pk if found.rows and found.cut else None
    return found, replace(fit, first=first)


#: What stands for the turns that are not sent any more: data, in front of the first question that is.
SUMMARY_OF = "<summary_of_earlier_conversation>\n{text}\n</summary_of_earlier_conversation>\n\n"


def with_summary(messages: list[ChatMessage], text: str) -> list[ChatMessage]:
    """The turns, the first one with the summary of what is not sent before it; as they are where there is none."""
    if not text or not messages:
        return messages
    summary = TextPart(SUMMARY_OF.format(text=text))
    first = messages[0]
    if first.role is not Role.USER:
        return [ChatMessage(Role.USER, (summary,)), *messages]
    return [replace(first, parts=(summary, *first.parts)), *messages[1:]]


def plain(request: ChatRequest) -> ChatRequest:
    """The same for a model without tools. An answer whose last tool is forgotten is to be gone on with."""
    request = without_tools(request)
    if request.messages[-1].role is not Role.ASSISTANT:
        return request
    return replace(request, messages=(*request.messages, ChatMessage.of(Role.USER, CONTINUE)))


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

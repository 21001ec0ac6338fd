"""From a receipt back to the requests that were sent, out of the rows as they are now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q

from backends.adapters.messages import ChatRequest, ToolSpec
from backends.models import CatalogueModel
from chat.generation import canonical, prompt, reach, receipt
from chat.generation.attached import note_left_out, read_attached
from chat.generation.sampling import sampling_options
from chat.generation.steps import NOTICE, sees, with_step, without_tools
from chat.generation.told import Told
from chat.models import Generation, Message, Step


@dataclass(frozen=True, slots=True)
class Round:
    """One request. ``same``: it is what was sent, to the letter."""

    request: ChatRequest
    sha256: str
    same: bool
    tools: bool


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a generation asked. ``gone`` are the ids of turns that are no more; ``rows`` those that are."""

    rounds: tuple[Round, ...]
    rows: tuple[Message, ...]
    gone: tuple[int, ...]

    @property
    def same(self) -> bool:
        """Whether everything is exactly what was sent."""
        return bool(self.rounds) and all(entry.same for entry in self.rounds)


def rebuild(generation: Generation) -> Rebuilt:
    """All rounds of it. A fixed number of queries. ``generation.message.conversation`` should be at hand."""
    values = generation.receipt
    answer = generation.message
    ids = receipt.ids_in(values)
    rows = rows_of(generation, ids)
    steps = reach.steps_of([*rows, answer])
    base = begun(generation, rows, steps)
    own = [step for step in steps.get(answer.pk, ()) if step.generation_id == generation.pk]
    rounds = tuple(as_round(base, own, entry) for entry in values.get("rounds", ()))
    found = {row.pk for row in rows}
    return Rebuilt(rounds, rows, tuple(pk for pk in ids if pk not in found))


def rows_of(generation: Generation, ids: Sequence[int]) -> tuple[Message, ...]:
    """Those of the messages that are still there, and the person's own. A fork keeps what it shares.

    Ids below 0 stand for messages that were gone before a receipt was imported.
    """
    conversation = generation.message.conversation
    there = Q(deleted_at=None) | ~Q(conversation=conversation.pk)
    rows = Message.objects.filter(there, conversation__owner=conversation.owner_id)
    found = rows.in_bulk([pk for pk in ids if pk > 0])
    return tuple(found[pk] for pk in ids if pk in found)


def repeated(
    generation: Generation, model: CatalogueModel | None
) -> tuple[ChatRequest, frozenset[str]] | None:
    """The request that ``generation.repeats`` sent, for this generation and its model; without its tools: their names.

    None where that generation is gone or has no receipt. The receipt of this one begins with it.
    """
    owner = generation.message.conversation.owner_id
    rows = Generation.objects.filter(message__conversation__owner=owner)
    rows = rows.select_related("message__conversation", "system_text", "tools_text")
    first = rows.filter(pk=generation.repeats).first() if generation.repeats else None
    if first is None or not first.receipt.get("rounds"):
        return None
    turns = rows_of(first, receipt.ids_in(first.receipt))
    note_left_out(generation, read_attached(turns, model).left_out, Told.of(first.passages))
    kept = first.receipt | {
        "capabilities": None if model is None else model.capabilities,
        "options": generation.options,
        "state": {},
    }
    request = begun(first, turns, reach.steps_of(list(turns)), kept)
    generation.receipt = {name: kept[name] for name in ("turns", "summary", "plain") if name in kept}
    system = request.system.removesuffix(NOTICE).rstrip() if request.tools else request.system
    conversation = str(generation.message.conversation_id)
    names = frozenset(tool.name for tool in request.tools)
    request = replace(
        request, model=generation.model_id, conversation_id=conversation, system=system, tools=()
    )
    return request, names


def begun(
    generation: Generation,
    rows: Sequence[Message],
    steps: Mapping[int, Sequence[Step]],
    values: Mapping[str, Any] | None = None,
) -> ChatRequest:
    """The first request, by its receipt or by other ``values``."""
    values = generation.receipt if values is None else values
    known = CatalogueModel(capabilities=values.get("capabilities"))
    capabilities = reach.known_capabilities(known)
    images = sees(capabilities)
    attached = read_attached(rows, known, Told.of(generation.passages))
    messages = prompt.alternating(
        turn
        for row in rows
        for turn in reach.chat_messages(row, steps.get(row.pk, ()), attached, images=images)
    )
    messages = prompt.with_summary(messages, values.get("summary", ""))
    if "begun" in values:
        answer = Message(text=generation.message.text[: values["begun"]])
        messages += prompt.begun(answer, earlier(generation, steps), images=images)
    request = ChatRequest(
        model=generation.model_id,
        messages=tuple(messages),
        sampling=sampling_options(values.get("options", {})),
        conversation_id=str(generation.message.conversation_id),
        title=generation.message.conversation.title,
        state=values.get("state", {}),
        capabilities=capabilities,
    )
    if values.get("plain"):
        request = prompt.plain(request)
    system = generation.system_text.text if generation.system_text else ""
    return replace(request, system=system, tools=tools_in(generation))


def earlier(generation: Generation, steps: Mapping[int, Sequence[Step]]) -> list[Step]:
    """The rounds of the answer before this generation went on with it."""
    found = steps.get(generation.message_id, ())
    return [step for step in found if step.generation.created_at < generation.created_at]


def tools_in(generation: Generation) -> tuple[ToolSpec, ...]:
    """The tools that were on offer."""
    if generation.tools_text is None:
        return ()
    return tuple(ToolSpec(**entry) for entry in json.loads(generation.tools_text.text))


def as_round(base: ChatRequest, steps: Sequence[Step], entry: Mapping[str, Any]) -> Round:
    """The request of one round, and whether it has the digest that was kept."""
    request = base
    for step in steps[: entry["steps"]]:
        request = with_step(request, step)
    if not entry["tools"] and request.tools:
        request = without_tools(request) if entry.get("refused") else replace(request, tools=())
    sha256 = entry["sha256"]
    return Round(request, sha256, canonical.digest(request) == sha256, bool(entry["tools"]))

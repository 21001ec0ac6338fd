"""Where the numbers of an answer's sources begin: after those that its model reads anyway."""

from __future__ import annotations

from backends.adapters.messages import ChatRequest, ToolResultPart
from backends.database import in_database
from chat.generation import receipt
from chat.generation.prompt import Prepared
from chat.generation.told import Told
from chat.models import Activity
from chat.tools.numbering import Numbering


async def numbering_of(prepared: Prepared) -> Numbering:
    """After the passages and the results of earlier rounds. No query where no tool was called before."""
    generation = prepared.generation
    passages = len(Told.of(generation.passages).passages)
    if not generation.continues and not has_results(prepared.request):
        return Numbering(after=passages)
    answers = [*receipt.ids_in(generation.receipt), generation.message_id]
    return Numbering(await in_database(numbers_in, answers), after=passages)


def has_results(request: ChatRequest) -> bool:
    """Whether it tells what tools gave back."""
    return any(isinstance(part, ToolResultPart) for message in request.messages for part in message.parts)


def numbers_in(message_ids: list[int]) -> dict[str, int]:
    """The pages that these answers rest on, by address, with their numbers. One query."""
    rows = Activity.objects.filter(generation__message_id__in=message_ids).exclude(sources=[])
    return {
        source["url"]: source["number"]
        for sources in rows.values_list("sources", flat=True)
        for source in sources
        if source.get("number")
    }

"""Long conversations for tests, and what a model was sent of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from backends.models import Backend, CatalogueModel
from chat.models import Conversation, Generation, Message, MessageRole, Status
from privatechathub.accounts.models import User
from tests.fakes.records import Request

#: Bytes of a turn of :func:`long_conversation`: 100 tokens of the fake server.
TURN = 400


def turn(number: int, length: int = TURN) -> str:
    """A text that can be told from the others."""
    return f"turn {number:05d} ".ljust(length, "x")


def spoken(number: int, length: int = TURN) -> str:
    """The same in words, for tokenizers that are real."""
    words = "we spoke of the weather in the mountains, of tea, and of what the trains cost in spring; "
    return f"turn {number:05d} " + (words * (length // len(words) + 1))[: length - 11]


def long_conversation(
    owner: User,
    exchanges: int,
    backend: Backend | None = None,
    length: int = TURN,
    text: Callable[[int, int], str] = turn,
) -> Conversation:
    """One with that many questions and answers, as if they had been asked long ago."""
    conversation = Conversation.objects.create(owner=owner, title="Long", updated_at=timezone.now())
    rows: list[Message] = []
    first = (Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    for number in range(2 * exchanges):
        role = MessageRole.ASSISTANT if number % 2 else MessageRole.USER
        parent = first + number - 1 if number else None
        rows.append(
            Message(
                pk=first + number,
                conversation=conversation,
                parent_id=parent,
                role=role,
                text=text(number, length),
            )
        )
    Message.objects.bulk_create(rows)
    if rows:
        conversation.head = rows[-1]
        Generation.objects.create(
            message=rows[-1], backend=backend, backend_name="Fake", model_id="fast", status=Status.COMPLETED
        )
    conversation.save()
    return conversation


def model_on(url: str, kind: str, **values: Any) -> CatalogueModel:
    """The fake server's quickest model."""
    backend = Backend.objects.create(
        name="Fake", kind=kind, base_url=url if kind == "ollama" else f"{url}/v1"
    )
    return CatalogueModel.objects.create(backend=backend, model_id="fast", name="Fast", **values)


def turns_in(request: Request) -> list[int]:
    """Which turns of :func:`long_conversation` a request holds."""
    texts = [str(message["content"]) for message in request.messages]
    return [int(text[5:10]) for text in texts if text.startswith("turn ")]

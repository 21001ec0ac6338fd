"""A person who asks models of several servers, through the hub's own verbs."""

from __future__ import annotations

import asyncio
import uuid

from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.models import Conversation, Generation
from chat.services.sending import Sent, send_message, start_conversation
from privatechathub.accounts.models import User


def add(
    name: str, kind: str, url: str, model: str, *, key: str = "", password: str = "", **more: object
) -> Backend:
    """A backend with one model."""
    backend = Backend(name=name, kind=kind, base_url=url, **more)
    backend.set_api_key(key)
    backend.set_password(password)
    backend.save()
    CatalogueModel.objects.create(backend=backend, model_id=model, name=model)
    return backend


def say(user: User, conversation: Conversation | None, text: str, ref: str) -> Sent:
    key = uuid.uuid4().hex
    if conversation is None:
        return start_conversation(user, text, ref, key)
    return send_message(user, conversation, text, ref, key)


async def ask(user: User, conversation: Conversation | None, text: str, ref: str) -> Sent:
    """Send a question; do not wait for the answer."""
    return await in_database(say, user, conversation, text, ref)


async def answered(sent: Sent, seconds: float = 10) -> Generation:
    """The generation once it has ended."""
    async with asyncio.timeout(seconds):
        while True:
            row: Generation = await in_database(
                Generation.objects.select_related("message").get, pk=sent.generation.pk
            )
            if not row.is_active:
                return row
            await asyncio.sleep(0.01)

"""The form for the next question."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.urls import reverse

from chat.models import Conversation, Generation
from chat.picker import begins_with, model_groups
from chat.presenters import ComposerView
from chat.services.models import Offer, usable_models
from chat.services.uploads import ACCEPT
from chat.tool_pages import tools_hint
from chat.tools.switches import wanted

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


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

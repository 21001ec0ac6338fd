"""The form for the next question."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.urls import reverse

from backends.models import CatalogueModel
from chat.models import Conversation, Generation, Project
from chat.picker import begins_with, model_groups
from chat.presenters.composer import ComposerView
from chat.presenters.thread import ThreadView
from chat.presenting.meter import meter_view
from chat.services.models import Offer, usable_models
from chat.services.uploads import ACCEPT
from chat.tool_pages import tools_hint
from chat.tools.switches import Switches, in_force

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
    project: Project | None = None,
    thread: ThreadView | None = None,
) -> ComposerView:
    """The form for the next question. ``active``: whether an answer is being written, where that is known.

    ``project``: what a new conversation will belong to; it begins with the project's model. ``thread``: the end
    of the conversation, where the meter is to be shown.
    """
    models = usable_models(user) if models is None else models
    ref = ref or (project.ref if project else "")
    if active is None:
        active = conversation is not None and (
            Generation.objects.active().filter(message__conversation=conversation).exists()
        )
    saved = saved_draft(user, conversation, project)
    chosen = begins_with(models, user, conversation, ref)
    return ComposerView(
        action=reverse("chat:send", args=[conversation.pk]) if conversation else reverse("chat:create"),
        key=submission_key(),
        models=model_groups(models, user, conversation, ref),
        stop_url=reverse("chat:stop", args=[conversation.pk]) if conversation else "",
        active=active,
        draft=draft or saved,
        draft_is_saved=not draft,
        draft_url=draft_url(conversation, project),
        error=error,
        accept=ACCEPT,
        tools_hint=hint_about_tools(models, in_force(user, conversation, project), chosen),
        project_id=str(project.pk) if project else "",
        meter=meter_view(conversation, thread, model_in(models, chosen)) if conversation and thread else None,
    )


def saved_draft(user: User, conversation: Conversation | None, project: Project | None) -> str:
    """What was typed here before, on whichever device."""
    if conversation is not None:
        return conversation.draft
    return "" if project else user.draft


def draft_url(conversation: Conversation | None, project: Project | None) -> str:
    """Where what is typed is kept; empty for a new conversation of a project, which only the browser keeps."""
    if conversation is not None:
        return reverse("chat:draft", args=[conversation.pk])
    return "" if project else reverse("chat:draft-new")


def model_in(models: list[Offer], ref: str) -> CatalogueModel | None:
    """The model of that name, where it is offered."""
    return next((offer.model for offer in models if offer.model.ref == ref), None)


def hint_about_tools(models: list[Offer], switches: Switches, chosen: str) -> str:
    """A sentence where tools are wanted, but the chosen model knows none."""
    return tools_hint(switches, model_in(models, chosen))


def submission_key() -> str:
    """What makes a repeated submit of one form harmless."""
    return secrets.token_urlsafe(16)

"""System prompt and sampling options of one conversation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chat.access import own_conversation
from chat.conversation_settings import SettingsForms, model_of
from chat.models import Conversation
from chat.presenting.projects import mark_of
from chat.presenting.sent_options import sent_view
from chat.presets import preset_options
from chat.services.conversations import change_settings
from chat.services.presets import PresetChoice, keep_preset
from chat.services.refusals import Refused
from chat.views.requests import is_htmx, person, posted


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The page; with ``?prompt=ID`` what depends on that choice, before it is saved."""
    conversation = own_conversation(person(request), conversation_id)
    try:
        return save(request, conversation) if request.method == "POST" else show(request, conversation)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("chat:settings", conversation.pk)


def show(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """What is set. Raises Refused."""
    chosen = request.GET.get("prompt")
    forms = SettingsForms(person(request), conversation, model_of(conversation), chosen=chosen)
    if is_htmx(request) and chosen is not None:
        return render(request, "chat/fragments/prompt_choice.html", context_of(conversation, forms))
    return render(request, "chat/pages/conversation_settings.html", context_of(conversation, forms))


def save(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """Store it, and where that was asked keep the options as a preset. Raises Refused."""
    user = person(request)
    data = request.POST.dict()
    forms = SettingsForms(user, conversation, model_of(conversation), data)
    if not forms.is_valid():
        context = context_of(conversation, forms)
        return render(request, "chat/pages/conversation_settings.html", context, status=422)
    options, preset, unfinished = forms.sampling.options(), forms.chosen_preset, forms.is_unfinished
    keep = "keep" in data or bool(
        posted(request, "preset_name").strip()
    )  # Enter in that field presses "Save"
    if keep:
        conversation.builtin_preset, conversation.preset = preset.builtin, preset.own
        kept = keep_preset(user, posted(request, "preset_name"), {**preset_options(conversation), **options})
        messages.success(request, _("“%(name)s” is one of your presets now.") % {"name": kept.name})
        options, preset = {}, PresetChoice(own=kept)
    change_settings(
        conversation,
        forms.own_text,
        options,
        prompt=forms.entry,
        answers=forms.answers,
        preset=preset,
    )
    if unfinished or keep:
        return redirect("chat:settings", conversation.pk)
    return redirect(conversation)


def context_of(conversation: Conversation, forms: SettingsForms) -> dict[str, Any]:
    """What the page shows."""
    return {
        "thread": {
            "id": str(conversation.pk),
            "title": conversation.title or _("New chat"),
            "url": conversation.get_absolute_url(),
            "project": mark_of(conversation.project),
        },
        "forms": forms,
        "entry": forms.entry,
        "may_edit_entry": bool(forms.entry and forms.entry.is_editable_by(conversation.owner)),
        "sent": sent_view(conversation, forms.model) if forms.model and not conversation.alias else None,
    }

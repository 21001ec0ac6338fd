"""The library of system prompts, and a person's presets."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.access import editable_prompt, own_preset, usable_prompt
from chat.models import SystemPrompt
from chat.presenting.library import library_view
from chat.prompt_forms import SystemPromptForm
from chat.prompts.builtin import BUILTIN
from chat.services import presets, prompts
from chat.services.refusals import Refused
from chat.views.requests import person, posted


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """What this person may use."""
    context = {"section": "prompts", "library": library_view(person(request))}
    return render(request, "chat/pages/prompts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: HttpRequest) -> HttpResponse:
    """A new entry."""
    user = person(request)
    form = SystemPromptForm(request.POST or None, may_share=user.is_staff)
    if request.method != "POST" or not form.is_valid():
        return render_form(request, form, None)
    prompt = form.save(commit=False)
    prompt.owner = None if form.cleaned_data.get("shared") else user
    prompt.save()
    messages.success(request, _("“%(name)s” was saved.") % {"name": prompt.name})
    return redirect("chat:prompts")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def entry(request: HttpRequest, prompt_id: UUID) -> HttpResponse:
    """One entry; whoever may not change it can read it."""
    user = person(request)
    prompt = usable_prompt(user, prompt_id)
    if request.method != "POST" and not prompt.is_editable_by(user):
        return render(request, "chat/pages/prompt_text.html", {"prompt": prompt})
    prompt = editable_prompt(user, prompt_id)
    form = SystemPromptForm(request.POST or None, instance=prompt)
    if request.method != "POST" or not form.is_valid():
        return render_form(request, form, prompt)
    form.save()
    messages.success(request, _("“%(name)s” was saved.") % {"name": prompt.name})
    return redirect("chat:prompts")


@require_POST
@login_required
def copy(request: HttpRequest, prompt_id: UUID) -> HttpResponse:
    """A copy of one's own; with ``shared`` one for everybody, which is for administrators."""
    user = person(request)
    shared = user.is_staff and bool(posted(request, "shared"))
    made = prompts.copy_prompt(user, usable_prompt(user, prompt_id), shared=shared)
    messages.success(request, _("“%(name)s” was copied.") % {"name": made.name})
    return redirect("chat:prompt", made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, prompt_id: UUID) -> HttpResponse:
    """Ask, then delete."""
    prompt = editable_prompt(person(request), prompt_id)
    if request.method == "POST":
        prompts.delete_prompt(prompt)
        messages.success(request, _("“%(name)s” was deleted.") % {"name": prompt.name})
        return redirect("chat:prompts")
    context = {
        "question": _("Delete “%(name)s”?") % {"name": prompt.name},
        "detail": _("Conversations that follow it keep its text as it is now."),
        "back_url": reverse("chat:prompt", args=[prompt.pk]),
    }
    return render(request, "chat/pages/confirm_delete.html", context)


@require_POST
@login_required
def rename_preset(request: HttpRequest, preset_id: UUID) -> HttpResponse:
    """Another name for one's own preset."""
    try:
        presets.rename_preset(own_preset(person(request), preset_id), posted(request, "name"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("chat:prompts")


@require_POST
@login_required
def delete_preset(request: HttpRequest, preset_id: UUID) -> HttpResponse:
    """Delete one's own preset; conversations keep its options."""
    preset = own_preset(person(request), preset_id)
    presets.delete_preset(preset)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": preset.name})
    return redirect("chat:prompts")


def render_form(request: HttpRequest, form: SystemPromptForm, prompt: SystemPrompt | None) -> HttpResponse:
    """The page on which an entry is written."""
    context = {
        "form": form,
        "prompt": prompt,
        "builtin": BUILTIN.items(),
        "followers": followers(prompt) if prompt else "",
    }
    return render(request, "chat/pages/prompt.html", context, status=422 if form.errors else 200)


def followers(prompt: SystemPrompt) -> str:
    """Who goes by it."""
    count = prompt.conversations.count()
    sentence = ngettext(
        "%(count)d conversation follows this text: its next answer goes by what you save here.",
        "%(count)d conversations follow this text: their next answers go by what you save here.",
        count,
    )
    return sentence % {"count": count} if count else ""

"""Projects: the list, one of them, and what can be done with it. Every change is a plain POST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.access import own_conversation, own_project, own_revision
from chat.models import Conversation, Project, Told
from chat.presenting.projects import (
    conversations_of,
    mark,
    marks_for,
    project_cards,
    project_view,
    revision_views,
)
from chat.presenting.sidebar import parsed
from chat.project_forms import MemoryForm, ProjectForm
from chat.services import order, projects
from chat.services.models import usable_models
from chat.trash import KEPT_DAYS
from chat.views.requests import person, posted, uuid_or_404

#: What the form of a project changes of its words.
_EDITED = (Told.NAME, Told.DESCRIPTION, Told.INSTRUCTIONS)


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """The person's projects, or with ``?archived=1`` those that were put away."""
    archived = request.GET.get("archived") == "1"
    cards = project_cards(person(request), archived=archived)
    return render(request, "chat/pages/projects.html", {"projects": cards, "archived": archived})


@require_safe
@login_required
def show(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """One project with its conversations; ``?before=`` a moment lists older ones."""
    project = own_project(person(request), project_id)
    view = project_view(project, parsed(request.GET.get("before") or "-"))
    return render(request, "chat/pages/project.html", {"project": view})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: HttpRequest) -> HttpResponse:
    """A new project, for a conversation where ``?conversation=`` names one."""
    conversation = asked_conversation(request)
    form = ProjectForm(request.POST or None, offers=usable_models(person(request)))
    if request.method != "POST" or not form.is_valid():
        return edit_page(request, form, {"conversation": conversation})
    project = projects.create(person(request), form.values())
    if conversation is None:
        return redirect(project)
    order.move(person(request), [conversation.pk], project)
    return redirect(conversation)


def asked_conversation(request: HttpRequest) -> Conversation | None:
    """The conversation that the new project is for. Raises Http404."""
    named = request.GET.get("conversation", "")
    return own_conversation(person(request), uuid_or_404(named)) if named else None


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Its words, its looks, and what conversations begin with."""
    project = own_project(person(request), project_id)
    form = ProjectForm(request.POST or None, offers=usable_models(person(request)), project=project)
    if request.method == "POST" and form.is_valid():
        projects.change(project, form.values())
        return redirect(project)
    return edit_page(
        request, form, {"project": mark(project), "revisions": revision_views(project, *_EDITED)}
    )


def edit_page(request: HttpRequest, form: ProjectForm, context: dict[str, Any]) -> HttpResponse:
    """The form."""
    status = 422 if form.errors else 200
    return render(request, "chat/pages/project_form.html", context | {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def memory(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """What is noted down, and what was before."""
    project = own_project(person(request), project_id)
    form = MemoryForm(request.POST or None, initial={"memory": project.memory})
    if request.method == "POST" and form.is_valid():
        projects.change(project, form.cleaned_data)
        return redirect(project)
    context = {
        "project": mark(project),
        "form": form,
        "revisions": revision_views(project, Told.MEMORY),
    }
    return render(request, "chat/pages/project_memory.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def restore(request: HttpRequest, revision_id: int) -> HttpResponse:
    """Say again what was said before."""
    revision = own_revision(person(request), revision_id)
    projects.restore(revision)
    messages.success(request, _("It says again what it said before."))
    page = "chat:project-memory" if revision.field == Told.MEMORY else "chat:project-edit"
    return redirect(page, revision.project_id)


@require_POST
@login_required
def archive(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Put it away, or take it out again."""
    project = own_project(person(request), project_id)
    projects.archive(project, away=posted(request, "away") == "1")
    return redirect(project)


@require_POST
@login_required
def pin(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Let it stand before the others, or not any more."""
    project = own_project(person(request), project_id)
    projects.pin(project, on_top=posted(request, "on_top") == "1")
    return redirect(project)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Ask whether its conversations are deleted too, then delete."""
    project = own_project(person(request), project_id)
    chosen = posted(request, "conversations")
    if request.method == "POST" and chosen in ("keep", "delete"):
        projects.delete(project, with_conversations=chosen == "delete")
        messages.success(request, _("“%(name)s” was deleted.") % {"name": project.name})
        return redirect("chat:projects")
    count = conversations_of(project).count()
    context = {"project": mark(project), "count": count, "days": KEPT_DAYS}
    return render(request, "chat/pages/project_delete.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def move(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """To which project a conversation belongs."""
    conversation = own_conversation(person(request), conversation_id)
    if request.method == "POST":
        order.move(person(request), [conversation.pk], chosen_project(request))
        return redirect(conversation)
    context = {
        "conversation_id": str(conversation.pk),
        "title": conversation.title or _("New chat"),
        "back_url": conversation.get_absolute_url(),
        "current": str(conversation.project_id or ""),
        "projects": marks_for(conversation),
    }
    return render(request, "chat/pages/conversation_project.html", context)


def chosen_project(request: HttpRequest) -> Project | None:
    """The project that the form names, or none. Raises Http404 for one that is not this person's."""
    named = posted(request, "project")
    return own_project(person(request), uuid_or_404(named)) if named else None

"""Administrators look after the models of a server here: download, delete, load, see what is in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backends.adapters.errors import BackendError
from backends.adapters.management import Operation
from backends.manager import change, glance, operations
from backends.models import Backend, CatalogueModel
from backends.presenting import error_sentence, status, status_text
from backends.pulls.models import NAME_LENGTH, Pull
from backends.pulls.service import cancel_pull, resume_pull, start_pull
from backends.service import forget_models, hint_for
from chat.generation import runtime
from chat.views.backends import refresh_now_or_soon
from chat.views.requests import administrators_only, is_htmx, person, posted

logger = logging.getLogger(__name__)

#: Seconds that a page waits for a model to load before it says that this goes on without it.
PATIENCE = 10.0
#: After the end of a download its bar stays for a moment, until the new model is in the list.
SETTLING = timedelta(seconds=3)


@require_safe
@administrators_only
def index(request: HttpRequest, server: str) -> HttpResponse:
    """The models of one server, its downloads; with ``?memory=1`` what is loaded, without a script."""
    backend = managed_backend(server)
    context = {
        "section": "backends",
        "backend": backend,
        "status": status(backend),
        "status_text": status_text(backend),
        "operations": operations(backend),
        "models": backend.models.listed(),
        **downloads_of(backend),
    }
    if request.GET.get("memory"):
        context |= memory_of(backend)
    return render(request, "chat/pages/backend_models.html", context)


@require_safe
@administrators_only
def downloads(request: HttpRequest, server: str) -> HttpResponse:
    """The bars, asked for every second while one moves. Once all stand still the page is loaded anew."""
    context = downloads_of(managed_backend(server))
    response = render(request, "chat/fragments/downloads.html", context)
    if is_htmx(request) and not context["moving"]:
        response["HX-Refresh"] = "true"
    return response


@require_safe
@administrators_only
def memory(request: HttpRequest, server: str) -> HttpResponse:
    """What is loaded now. The only part of the page that waits for the server."""
    return render(request, "chat/fragments/memory.html", memory_of(managed_backend(server)))


@require_POST
@administrators_only
def pull(request: HttpRequest, server: str) -> HttpResponse:
    """Begin a download, or join the one that is under way."""
    backend = managed_backend(server, Operation.PULL)
    name = posted(request, "name").strip()
    if not name or len(name) > NAME_LENGTH:
        messages.error(request, _("Enter the name of a model, for example qwen3:8b."))
    else:
        start_pull(backend, name, person(request))
        wake()
    return back_to(backend)


@require_POST
@administrators_only
def cancel(request: HttpRequest, pull_id: int) -> HttpResponse:
    """Stop a download for everybody. What arrived stays on the server."""
    found = get_object_or_404(Pull.objects.select_related("backend"), pk=pull_id)
    cancel_pull(found)
    return back_to(found.backend)


@require_POST
@administrators_only
def resume(request: HttpRequest, pull_id: int) -> HttpResponse:
    """Go on with a download that ended early."""
    found = get_object_or_404(Pull.objects.select_related("backend"), pk=pull_id)
    resume_pull(found, person(request))
    wake()
    return back_to(found.backend)


@require_POST
@administrators_only
def load(request: HttpRequest, server: str) -> HttpResponse:
    """Bring a model into memory."""
    return changed(request, server, Operation.LOAD, _("%(name)s is loaded."))


@require_POST
@administrators_only
def unload(request: HttpRequest, server: str) -> HttpResponse:
    """Drop a model from memory."""
    return changed(request, server, Operation.UNLOAD, _("%(name)s was unloaded."))


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def delete(request: HttpRequest, server: str) -> HttpResponse:
    """Ask, then delete a model from the server's disk."""
    if request.method == "POST":
        return changed(request, server, Operation.DELETE, _("%(name)s was deleted."))
    backend = managed_backend(server, Operation.DELETE)
    name = request.GET.get("model", "")
    context = {
        "question": _("Delete %(name)s?") % {"name": name},
        "model": backend.models.filter(model_id=name).first(),
        "model_id": name,
        "backend": backend,
        "back_url": models_url(backend),
    }
    return render(request, "chat/pages/model_delete.html", context)


def managed_backend(server: str, operation: Operation | None = None) -> Backend:
    """A server whose models can be managed. Raises Http404."""
    backend = get_object_or_404(Backend, slug=server)
    known = operations(backend)
    if not known or (operation and operation not in known):
        raise Http404
    return backend


def changed(request: HttpRequest, server: str, operation: Operation, done: str) -> HttpResponse:
    """Do it and say what came of it; a long one goes on without the page."""
    backend = managed_backend(server, operation)
    name = posted(request, "model")
    try:
        finished = carried_out(change(backend, operation, name))
    except BackendError as error:
        messages.error(request, f"{error_sentence(error)} {hint_for(backend.kind, error)}")
        return back_to(backend)
    if finished:
        known = CatalogueModel.objects.filter(backend=backend, model_id=name)
        if operation is Operation.DELETE:
            forget_models(known)
        else:
            known.update(loaded=operation is Operation.LOAD)
        messages.success(request, done % {"name": name})
        refresh_now_or_soon(backend)
    else:
        messages.info(request, _("%(name)s takes a while; it goes on without this page.") % {"name": name})
    return back_to(backend)


def carried_out(work: Coroutine[Any, Any, None]) -> bool:
    """Whether it is done already; else it goes on beside the pages. Raises BackendError."""
    running = runtime.current()
    if running is None:
        asyncio.run(work)
        return True
    future = asyncio.run_coroutine_threadsafe(work, running.supervisor.loop)
    try:
        future.result(PATIENCE)
    except TimeoutError:
        future.add_done_callback(note_failure)
        return False
    return True


def note_failure(future: Future[None]) -> None:
    """Nobody waits for it any more: at least the log knows."""
    if not future.cancelled() and (error := future.exception()):
        logger.warning("a change of a server's models failed: %s", type(error).__name__)


def downloads_of(backend: Backend) -> dict[str, Any]:
    """The downloads of a server, and whether their bars still move."""
    pulls = list(backend.pulls.all())
    since = timezone.now() - SETTLING
    moving = any(one.is_active or (one.finished_at and one.finished_at > since) for one in pulls)
    return {"backend": backend, "pulls": pulls, "moving": moving}


def memory_of(backend: Backend) -> dict[str, Any]:
    """What is loaded, or why that is not known."""
    seen = glance(backend)
    problem = error_sentence(seen.error) if seen.error else ""
    return {
        "backend": backend,
        "memory": seen.models,
        "memory_problem": problem,
        "memory_known": True,
        "operations": operations(backend),
    }


def wake() -> None:
    """Have this process look for new downloads now."""
    if running := runtime.current():
        running.puller.wake_soon()


def models_url(backend: Backend) -> str:
    """The page of a server's models."""
    return reverse("chat:backend-models", args=[backend.slug])


def back_to(backend: Backend) -> HttpResponse:
    """To the page of the server's models."""
    return redirect(models_url(backend))

"""Administrators set up AI servers here."""

from __future__ import annotations

import asyncio
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backends.discovery import find_servers, known_addresses
from backends.manager import operations
from backends.models import Backend
from backends.presenting import backend_rows, known_problem, look_result
from backends.service import Look, look_now, refresh_now
from chat.forms import BackendForm
from chat.generation import runtime
from chat.views.requests import administrators_only, is_htmx


@require_safe
@administrators_only
def index(request: HttpRequest) -> HttpResponse:
    """All AI servers; with ``?find=1`` also what answers on this machine."""
    context: dict[str, Any] = {"section": "backends", "backends": backend_rows()}
    if request.GET.get("find"):
        context["found"] = asyncio.run(find_servers(known=known_addresses()))
        context["searched"] = True
    return render(request, "chat/pages/backends.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def add(request: HttpRequest) -> HttpResponse:
    """Another AI server."""
    return edit_backend(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change an AI server."""
    return edit_backend(request, get_object_or_404(Backend, slug=slug))


@require_safe
@administrators_only
def options(request: HttpRequest) -> HttpResponse:
    """The part "Advanced" of the form for the kind that was just chosen."""
    form = BackendForm(initial={"kind": request.GET.get("kind", "")})
    return render(request, "chat/fragments/backend_options.html", {"form": form, "is_open": True})


@require_POST
@administrators_only
def test(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the server now, with what is typed in the form, and say exactly what it answered."""
    backend = get_object_or_404(Backend, slug=slug, managed=False)
    form = BackendForm(request.POST, instance=backend)
    if form.is_valid():
        result = look_result(look_now(form.save(commit=False)))
    else:
        result = look_result(Look(), message=_("Correct the fields first."), ok=False)
    if is_htmx(request):
        return render(request, "chat/fragments/test_result.html", {"test_result": result})
    return render_form(request, form, Backend.objects.get(slug=slug), test_result=result)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, then delete. Conversations stay."""
    backend = get_object_or_404(Backend, slug=slug)
    if request.method == "POST":
        backend.delete()
        messages.success(request, _("%(name)s was removed.") % {"name": backend.name})
        return redirect("chat:backends")
    context = {
        "question": _("Remove %(name)s?") % {"name": backend.name},
        "detail": _("Its models can no longer be asked. Conversations are kept."),
        "back_url": f"/backends/{slug}/",
    }
    return render(request, "chat/pages/confirm_delete.html", context)


def edit_backend(request: HttpRequest, backend: Backend | None) -> HttpResponse:
    """The form, and what it does when it is sent."""
    if request.method != "POST":
        return render_form(request, BackendForm(instance=backend, initial=initial(request)), backend)
    form = BackendForm(with_defaults(request), instance=backend)
    if not form.is_valid():
        return render_form(request, form, backend)
    saved = form.save()
    refresh_now_or_soon(saved)
    messages.success(request, _("%(name)s was saved.") % {"name": saved.name})
    return redirect(back_from(request))


def back_from(request: HttpRequest) -> str:
    """The search that offered the server, or the list."""
    wanted = request.POST.get("next", "")
    safe = wanted.startswith(reverse("chat:discovery")) and url_has_allowed_host_and_scheme(wanted, None)
    return wanted if safe else reverse("chat:backends")


def refresh_now_or_soon(backend: Backend) -> None:
    """Have its models listed, in the background where the hub runs; the built-in one has no list."""
    if backend.managed:
        return
    if running := runtime.current():
        running.watch.look_soon(backend.pk)
    else:
        refresh_now(backend)


def with_defaults(request: HttpRequest) -> Any:
    """An offered server is added by three fields; everything else takes its default."""
    if "access" in request.POST:
        return request.POST
    data = request.POST.copy()
    data.setdefault("access", "everyone")
    data.setdefault("enabled", "on")
    return data


def initial(request: HttpRequest) -> dict[str, str]:
    """Values that a link may propose."""
    return {key: request.GET[key] for key in ("name", "kind", "base_url") if key in request.GET}


def render_form(
    request: HttpRequest, form: BackendForm, backend: Backend | None, **context: Any
) -> HttpResponse:
    """The page of one AI server."""
    context |= {"section": "backends", "form": form, "backend": backend}
    context["problem"] = known_problem(backend) if backend and not form.is_bound else None
    context["manages_models"] = bool(backend and operations(backend))
    return render(request, "chat/pages/backend_form.html", context, status=422 if form.errors else 200)

"""An administrator searches the network for AI servers. Nothing is contacted before the click."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backends.discovery import found_by
from backends.models import Search
from backends.searches.places import proposed
from backends.searches.service import cancel_search, start_search
from chat.discovery_form import DiscoveryForm
from chat.views.requests import administrators_only, is_htmx


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def begin(request: HttpRequest) -> HttpResponse:
    """What would be searched, to be changed and confirmed; then the search."""
    if request.method != "POST":
        initial = {"places": proposed(request.META.get("REMOTE_ADDR", ""))}
        return render(request, "chat/pages/discovery.html", context_of(DiscoveryForm(initial=initial)))
    form = DiscoveryForm(request.POST)
    if not form.is_valid():
        return render(request, "chat/pages/discovery.html", context_of(form), status=422)
    search = start_search(form.cleaned_data["places"], form.cleaned_data["ports"])
    return redirect("chat:discovery-search", search.pk)


@require_safe
@administrators_only
def progress(request: HttpRequest, search_id: UUID) -> HttpResponse:
    """How far it is and what was found; asked for every second while it goes on."""
    search = get_object_or_404(Search, pk=search_id)
    context = {"section": "backends", "search": search, "found": found_by(search)}
    template = "chat/fragments/search.html" if is_htmx(request) else "chat/pages/discovery_search.html"
    return render(request, template, context)


@require_POST
@administrators_only
def cancel(request: HttpRequest, search_id: UUID) -> HttpResponse:
    """End it. What was found stays."""
    search = get_object_or_404(Search, pk=search_id)
    cancel_search(search)
    return redirect("chat:discovery-search", search.pk)


def context_of(form: DiscoveryForm) -> dict[str, object]:
    """The page with the form."""
    return {"section": "backends", "form": form}

"""What is chosen before the first question of a conversation."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from chat.services.project_finder import find_project
from chat.start_forms import StartForms
from chat.views.requests import is_htmx, person


@require_safe
@login_required
@vary_on_headers("HX-Request")
def choose(request: HttpRequest) -> HttpResponse:
    """The fields; once a prompt was chosen only what it asks. Without a script they are on the page itself."""
    if not is_htmx(request):
        return redirect(f"{reverse('chat:new')}?start=1")
    part = "start_answers" if "prompt" in request.GET else "start_fields"
    project = find_project(person(request), request.GET.get("project", ""))
    context = {"start": StartForms(person(request), request.GET.dict(), project)}
    return render(request, f"chat/fragments/{part}.html", context)

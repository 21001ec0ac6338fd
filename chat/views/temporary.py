"""The page of a temporary conversation. Everything in it goes over its websocket."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.generation.temporary import is_forgotten_by
from chat.picker import model_groups
from chat.services.models import usable_models
from chat.views.requests import is_htmx, person


@require_safe
@login_required
@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """An empty one with an id of its own. A page that asks for a part of it gets nothing: there is none to be had."""
    if is_htmx(request):
        return HttpResponse(status=204)
    user = person(request)
    models = [offer for offer in usable_models(user) if is_forgotten_by(offer.model.backend.kind)]
    context = {"chat_id": uuid.uuid4(), "models": model_groups(models, user)}
    return render(request, "chat/pages/temporary.html", context)

"""What is typed is kept while it is typed. Only scripts post here."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from chat.services.drafts import keep_draft
from chat.views.requests import person, posted


@require_POST
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """The beginning of a new conversation."""
    keep_draft(person(request), None, posted(request, "text"))
    return HttpResponse(status=204)


@require_POST
@login_required
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The next question of a conversation. Raises Http404."""
    if not keep_draft(person(request), conversation_id, posted(request, "text")):
        raise Http404
    return HttpResponse(status=204)

"""What is typed is kept while it is typed. Only scripts post here."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from chat.services.drafts import keep_draft, was_sent
from chat.views.requests import person, posted


@require_POST
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """The beginning of a new conversation."""
    return answer(request, None)


@require_POST
@login_required
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The next question of a conversation. Raises Http404."""
    return answer(request, conversation_id)


def answer(request: HttpRequest, conversation_id: UUID | None) -> HttpResponse:
    """204 where it is kept, 205 where it came after the form that it was typed in. Raises Http404."""
    late = was_sent(person(request), posted(request, "key"))
    if not late and not keep_draft(person(request), conversation_id, posted(request, "text")):
        raise Http404
    return HttpResponse(status=205 if late else 204)

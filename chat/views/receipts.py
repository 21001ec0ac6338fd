"""The receipt of an answer: to read, to keep, to send again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from backends.adapters.messages import ChatRequest
from chat.access import own_generation
from chat.generation import canonical
from chat.generation.rebuild import rebuild
from chat.models import Conversation, Generation
from chat.receipts.curl import as_text, wire_request
from chat.receipts.page import receipt_view
from chat.services.refusals import Refused
from chat.services.repeating import repeat as repeat_generation
from chat.transfer.fields import RUN, written
from chat.views.messages import place, ref_of, refuse
from chat.views.requests import person


@require_safe
@login_required
def show(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """The page."""
    generation, conversation = shown(request, generation_id)
    view = receipt_view(person(request), generation, conversation, whole="all" in request.GET)
    return render(request, "chat/pages/receipt.html", {"receipt": view})


@require_safe
@login_required
def part(request: HttpRequest, generation_id: UUID, part: str) -> HttpResponse:
    """A part as a file: the request as its digest covers it, the whole receipt, or the body for the server.

    Raises Http404 for other parts, and where there is nothing to give.
    """
    generation, _conversation = shown(request, generation_id)
    rounds = rebuild(generation).rounds
    if not rounds:
        raise Http404
    asked = rounds[-1].request
    match part:
        case "request":
            content = canonical.as_bytes(canonical.values(asked))
        case "receipt":
            content = as_text(values_of(generation, asked)).encode()
        case "body":
            wire = wire_request(generation.backend, asked)
            if wire is None:
                raise Http404
            content = as_text(wire.body).encode()
        case _:
            raise Http404
    name = "request-body.json" if part == "body" else f"{part}-{generation.pk}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="application/json", headers=headers)


@require_POST
@login_required
def repeat(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """Send the same request again, to the same model or another one."""
    generation, conversation = shown(request, generation_id)
    try:
        repeat_generation(person(request), generation, ref_of(request), within=conversation)
    except Refused as refused:
        return refuse(request, conversation, refused)
    return redirect(conversation)


def shown(request: HttpRequest, generation_id: UUID) -> tuple[Generation, Conversation]:
    """A run, and the conversation in which somebody looks at it. Raises Http404."""
    generation = own_generation(person(request), generation_id)
    _message, conversation = place(request, generation.message_id)
    return generation, conversation


def values_of(generation: Generation, asked: ChatRequest) -> dict[str, Any]:
    """Everything that is kept of how the answer came about, and the request as it is rebuilt."""
    run = {name: written(getattr(generation, name)) for name in RUN}
    kept = {name: value for name, value in generation.receipt.items() if name != "turns"}
    return {"run": run, "receipt": kept, "request": canonical.values(asked)}

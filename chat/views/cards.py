"""What belongs to an answer beside its text: requests of the server, results of tools, details."""

from __future__ import annotations

from base64 import b64decode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from chat.access import own_activity, own_ask, own_place
from chat.comparing.page import compare_url
from chat.details import details as details_of
from chat.details import options_sent
from chat.models import Ask, AskState, Step
from chat.receipts.page import receipt_url
from chat.services.asks import answer_ask, may_be
from chat.views.attachments import served
from chat.views.messages import changed
from chat.views.requests import is_htmx, person, posted

#: Characters of an answer in one's own words.
LONGEST_WORDS = 4000

#: What tools give back to look at, see ``chat.mcp.results``.
IMAGE_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}

_VERDICTS = {
    "once": AskState.ONCE,
    "here": AskState.HERE,
    "always": AskState.ALWAYS,
    "deny": AskState.DENIED,
    "answer": AskState.ANSWERED,
}


@require_POST
@login_required
def answer(request: HttpRequest, ask_id: UUID) -> HttpResponse:
    """Allow, deny, or answer. Where somebody was faster, that counts."""
    ask = own_ask(person(request), ask_id)
    state = _VERDICTS.get(posted(request, "verdict"))
    if state is None or not may_be(ask, state):
        return HttpResponseBadRequest()
    answer_ask(ask, state, words_in(request, ask) if state is AskState.ANSWERED else None)
    return changed(request, ask.generation.message.conversation)


@require_safe
@login_required
def output(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """All that is kept of what a tool gave back, as plain text."""
    activity = own_activity(person(request), activity_id)
    return HttpResponse(activity.output, content_type="text/plain; charset=utf-8")


@require_safe
@login_required
def image(request: HttpRequest, activity_id: UUID, number: int) -> HttpResponse:
    """An image that a tool gave back, counted from 1. Raises Http404."""
    activity = own_activity(person(request), activity_id)
    found = Step.images_of(activity.generation_id, activity.call_id)[number - 1 : number]
    if not number or not found or (ending := IMAGE_ENDINGS.get(found[0]["media_type"])) is None:
        raise Http404
    return served(b64decode(found[0]["data"]), found[0]["media_type"], f"image-{number}{ending}")


@require_safe
@login_required
@vary_on_headers("HX-Request")
def details(request: HttpRequest, message_id: int) -> HttpResponse:
    """How an answer came about. Raises Http404 for a message that no model wrote."""
    message, conversation = own_place(person(request), message_id, request.GET.get("conversation", ""))
    generation = message.generations.select_related("backend").order_by("-created_at").first()
    if generation is None:
        raise Http404
    context: dict[str, object] = {
        "details": details_of(generation),
        "options": options_sent(generation),
        "receipt_url": receipt_url(generation.pk, message, conversation),
        "compare_url": compare_url(message, conversation),
    }
    if is_htmx(request):
        return render(request, "chat/fragments/details.html", context)
    context |= {"thread_url": conversation.get_absolute_url(), "thread_title": conversation.title}
    return render(request, "chat/pages/details.html", context)


def words_in(request: HttpRequest, ask: Ask) -> list[list[str]]:
    """For each question the options that were chosen, of those it has, and the person's own words."""
    found = []
    for number, question in enumerate(ask.payload.get("questions", ())):
        labels = [option["label"] for option in question["options"]]
        chosen = [label for label in request.POST.getlist(f"choice-{number}") if label in labels]
        words = own_words(request, number) if question["custom"] or not labels else ""
        if words and not question["multiple"]:
            chosen = []
        found.append([*chosen, words] if words else chosen)
    return found


def own_words(request: HttpRequest, number: int) -> str:
    """What the person typed for a question."""
    return posted(request, f"words-{number}").strip()[:LONGEST_WORDS]

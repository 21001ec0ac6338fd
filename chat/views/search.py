"""Searching: a page of results, the first of them while somebody types, and the quick switcher."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat.access import own_conversation
from chat.presenting.found import found_view, quick_view, within_view
from chat.presenting.switcher import switcher_view
from chat.searching.language import LONGEST
from chat.views.requests import person


@require_safe
@login_required
def results(request: HttpRequest) -> HttpResponse:
    """A page of results."""
    view = found_view(person(request), wanted(request), page_of(request))
    return render(request, "chat/pages/search.html", {"found": view})


@require_safe
@login_required
def within(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Find something in one conversation, also in what its page has not loaded."""
    conversation = own_conversation(person(request), conversation_id)
    view = within_view(conversation, wanted(request), page_of(request))
    return render(request, "chat/pages/find.html", {"found": view})


@require_safe
@login_required
def quick(request: HttpRequest) -> HttpResponse:
    """The first results, for the sidebar."""
    return render(
        request, "chat/fragments/found.html", {"found": quick_view(person(request), wanted(request))}
    )


@require_safe
@login_required
def switcher(request: HttpRequest) -> HttpResponse:
    """Conversations, recent ones or those that fit, and commands; with ``?dialog`` what holds them too."""
    view = switcher_view(person(request), wanted(request))
    name = "switcher_dialog" if "dialog" in request.GET else "switcher"
    return render(request, f"chat/fragments/{name}.html", {"switcher": view})


def page_of(request: HttpRequest) -> int:
    """Which page of the results, counted from 1."""
    page = request.GET.get("page", "")
    return int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1


def wanted(request: HttpRequest) -> str:
    """What was typed."""
    return request.GET.get("q", "").replace("\x00", "")[:LONGEST].strip()

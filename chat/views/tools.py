"""Which tools models may use, everywhere and in one conversation, and what they have called."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from chat.access import own_conversation, own_project
from chat.models import Project, Verdict
from chat.presenting.sidebar import parsed
from chat.services.tools import change_tools
from chat.tool_pages import Place, ToolRow, call_rows, place_view, switch_all, tool_rows
from chat.views.requests import person, posted

_SWITCHES = {"on": True, "off": False}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def person_(request: HttpRequest) -> HttpResponse:
    """What holds in every conversation of this person."""
    return choose(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """What differs in one conversation."""
    return choose(request, own_conversation(person(request), conversation_id))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def project(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """What differs in the conversations of one project."""
    return choose(request, own_project(person(request), project_id))


@require_safe
@login_required
def calls(request: HttpRequest) -> HttpResponse:
    """Every call that models made for this person."""
    rows, earlier_url = call_rows(person(request), parsed(request.GET.get("before") or "-"))
    context = {"section": "settings", "calls": rows, "earlier_url": earlier_url}
    return render(request, "chat/pages/tool_calls.html", context)


def choose(request: HttpRequest, where: Place) -> HttpResponse:
    """The page, or what it sent."""
    user = person(request)
    everything, rows = switch_all(user, where), tool_rows(user, where)
    if request.method != "POST":
        context = {
            "section": "settings",
            "place": place_view(where),
            "all_tools": everything,
            "tools": rows,
            "verdicts": [] if isinstance(where, Project) else Verdict.choices,
        }
        return render(request, "chat/pages/tools.html", context)
    change_tools(user, where, switches_in(request, [everything, *rows]), rules_in(request, rows))
    return redirect(where) if where else redirect("chat:tools")


def switches_in(request: HttpRequest, rows: list[ToolRow]) -> dict[str, bool]:
    """The switches that were chosen, of those that there are."""
    chosen = {row.name: posted(request, f"switch-{row.name}") for row in rows}
    return {name: _SWITCHES[value] for name, value in chosen.items() if value in _SWITCHES}


def rules_in(request: HttpRequest, rows: list[ToolRow]) -> dict[str, str]:
    """The standing words; an unknown one is none."""
    chosen = {row.name: posted(request, f"rule-{row.name}") for row in rows}
    return {name: value if value in Verdict.values else "" for name, value in chosen.items()}

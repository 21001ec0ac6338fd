"""Administrators set up MCP servers here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backends.presenting import Result
from chat.mcp.forms import McpServerForm
from chat.mcp.looking import look_now, record
from chat.mcp.presenting import look_result, row, status_text
from chat.models import McpServer, McpState
from chat.views.requests import administrators_only, is_htmx

#: Fields that a look does not depend on.
_ELSEWHERE = frozenset({"name", "enabled", "access", "groups", "timeout"})


@require_safe
@administrators_only
def index(request: HttpRequest) -> HttpResponse:
    """All servers."""
    context = {"section": "mcp", "servers": [row(server) for server in McpServer.objects.all()]}
    return render(request, "chat/pages/mcp.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def add(request: HttpRequest) -> HttpResponse:
    """Another server."""
    return edit_server(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change a server."""
    return edit_server(request, get_object_or_404(McpServer, slug=slug))


@require_POST
@administrators_only
def test(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for its tools now, with what is typed in the form; kept where that is what is stored."""
    server = get_object_or_404(McpServer, slug=slug)
    form = McpServerForm(request.POST, instance=server)
    if form.is_valid():
        look = look_now(form.save(commit=False))
        if not set(form.changed_data) - _ELSEWHERE:
            record(server, look)
        result = look_result(look)
    else:
        result = Result(False, _("Correct the fields first."))
    if is_htmx(request):
        return render(request, "chat/fragments/test_result.html", {"test_result": result})
    return render_form(request, form, McpServer.objects.get(slug=slug), test_result=result)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, then delete. What its tools said stays in conversations."""
    server = get_object_or_404(McpServer, slug=slug)
    if request.method == "POST":
        server.delete()
        messages.success(request, _("%(name)s was removed.") % {"name": server.name})
        return redirect("chat:mcp")
    context = {
        "question": _("Remove %(name)s?") % {"name": server.name},
        "detail": _("Models can no longer call its tools. Conversations are kept."),
        "back_url": reverse("chat:mcp-edit", args=[slug]),
    }
    return render(request, "chat/pages/confirm_delete.html", context)


def edit_server(request: HttpRequest, server: McpServer | None) -> HttpResponse:
    """The form, and what it does when it is sent."""
    form = McpServerForm(request.POST if request.method == "POST" else None, instance=server)
    if request.method != "POST" or not form.is_valid():
        return render_form(request, form, server)
    saved = form.save()
    record(saved, look_now(saved))
    messages.success(request, _("%(name)s was saved.") % {"name": saved.name})
    return redirect("chat:mcp")


def render_form(
    request: HttpRequest, form: McpServerForm, server: McpServer | None, **context: Any
) -> HttpResponse:
    """The page of one server."""
    context |= {"section": "mcp", "form": form, "server": server}
    if server and not form.is_bound and server.state == McpState.OFFLINE:
        context["test_result"] = Result(False, status_text(server))
    return render(request, "chat/pages/mcp_form.html", context, status=422 if form.errors else 200)

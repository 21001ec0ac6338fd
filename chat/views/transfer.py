"""Conversations out as files, and in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.access import own_comparison, own_conversation, own_import
from chat.models import Conversation
from chat.services import importing
from chat.transfer import loading
from chat.transfer.archive import packed, zipped
from chat.transfer.hiding import hidden
from chat.transfer.limits import LARGEST_FILE, BadFile
from chat.transfer.names import file_stem
from chat.transfer.reports import report_view
from chat.transfer.writing import KINDS, Kind
from chat.views.requests import person, posted

if TYPE_CHECKING:
    from chat.models import Import

R = TypeVar("R", HttpResponse, StreamingHttpResponse)


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """Everything out, a file in."""
    return render(request, "chat/transfer/index.html", index_context(request))


def index_context(request: HttpRequest) -> dict[str, Any]:
    """What the page offers."""
    return {
        "section": "settings",
        "kinds": [(kind.ending, kind.label) for kind in KINDS.values()],
        "count": Conversation.objects.owned_by(person(request)).count(),
        "largest": LARGEST_FILE,
    }


@require_safe
@login_required
def export(request: HttpRequest, conversation_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """One conversation as a file; ``?as=`` names the kind, JSON where it says nothing.

    ``zip`` is JSON with the files of its messages.
    """
    conversation = own_conversation(person(request), conversation_id)
    if request.GET.get("as") == "zip":
        name = file_stem(conversation.title, _("conversation"))
        return sent(zipped(person(request), KINDS["json"], {conversation.pk}), f"{name}.zip")
    kind = kind_of(request.GET.get("as", "json"))
    name = f"{file_stem(conversation.title, _('conversation'))}.{kind.ending}"
    content = kind.write(hidden(loading.load(conversation), conversation.alias))
    return attached(HttpResponse(content, content_type=f"{kind.media_type}; charset=utf-8"), name)


@require_POST
@login_required
def export_all(request: HttpRequest) -> StreamingHttpResponse:
    """All conversations of this person as a zip."""
    return export_these(request, None)


def export_these(request: HttpRequest, ids: Collection[UUID] | None) -> StreamingHttpResponse:
    """The chosen conversations of this person as a zip, sent while it is written; all where none are named."""
    kind = kind_of(posted(request, "as") or "json")
    return sent(
        zipped(person(request), kind, ids),
        f"private-chat-hub-{timezone.localdate():%Y-%m-%d}-{kind.ending}.zip",
    )


def sent(pieces: AsyncIterator[bytes], name: str) -> StreamingHttpResponse:
    """A zip that is sent while it is written."""
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response.headers["Content-Encoding"] = "identity"  # it is packed already
    return attached(response, name)


@require_safe
@login_required
def export_comparison(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """The columns of a comparison as a zip; ``?as=`` names the kind, JSON where it says nothing."""
    comparison = own_comparison(person(request), comparison_id)
    kind = kind_of(request.GET.get("as", "json"))
    columns = comparison.columns.order_by("column").values_list("pk", flat=True)
    content = packed(person(request), columns, kind)
    name = f"comparison-{comparison.created_at:%Y-%m-%d}-{kind.ending}.zip"
    return attached(HttpResponse(content, content_type="application/zip"), name)


def kind_of(ending: str) -> Kind:
    """The kind of file with that ending. Raises Http404."""
    if ending not in KINDS:
        raise Http404
    return KINDS[ending]


def attached(response: R, name: str) -> R:
    """The response as a file to keep, which no browser shows as a page of the hub."""
    header = content_disposition_header(as_attachment=True, filename=name)
    response.headers["Content-Disposition"] = header or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@login_required
def receive(request: HttpRequest) -> HttpResponse:
    """A file is sent: look through it and show what it would bring."""
    sent = request.FILES.get("file")
    if sent is None:
        messages.error(request, _("Choose a file first."))
        return redirect("chat:transfer")
    try:
        row = importing.receive(person(request), sent)
    except BadFile as bad:
        return render(
            request, "chat/transfer/index.html", index_context(request) | {"error": str(bad)}, status=422
        )
    return redirect("chat:import", row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def confirm(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """What a file would bring, how far it is, what it brought. Posting begins it."""
    row = own_import(person(request), import_id)
    if request.method == "POST":
        importing.begin(row)
        return redirect("chat:import", row.pk)
    return render(request, "chat/transfer/import.html", import_context(row))


def import_context(row: Import) -> dict[str, Any]:
    """What the page of an import shows."""
    return {"section": "settings", "import": row, "report": report_view(row)}


@require_POST
@login_required
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Forget the file."""
    row = own_import(person(request), import_id)
    if not row.is_running:
        importing.drop(row)
    return redirect("chat:transfer")

"""All conversations on a page, and what is done with several at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from chat import trash
from chat.models import Conversation, Project
from chat.presenting.listing import Place, address, listing_view
from chat.presenting.sidebar import sidebar_view
from chat.realtime import frames
from chat.services import order
from chat.services.refusals import Refused
from chat.transfer.writing import KINDS
from chat.views.requests import fragment, is_htmx, person, posted
from chat.views.transfer import export_these

#: The page of a conversation or a comparison.
_SHOWN = re.compile(r"/(?P<page>chat|compare)/(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")
#: Conversations that one form can name; a page lists fewer.
MOST = 200


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """What is listed, archived or deleted, to be put in order."""
    page = request.GET.get("page", "")
    view = listing_view(
        person(request),
        request.GET.get("in", ""),
        request.GET.get("tag", "").replace("\x00", ""),
        int(page) if page.isdecimal() and len(page) < 9 else 1,
    )
    kinds = [(kind.ending, kind.label) for kind in KINDS.values()]
    return render(request, "chat/pages/conversations.html", {"listing": view, "kinds": kinds})


@require_POST
@login_required
def change(request: HttpRequest) -> HttpResponseBase:
    """Do with the chosen ones what the pressed button says."""
    ids = chosen(request)
    action = posted(request, "action")
    if not ids:
        messages.error(request, _("Choose conversations first."))
    elif action == "export":
        return export_these(request, ids)
    elif action in ACTIONS:
        try:
            ACTIONS[action](request, ids)
        except Refused as refused:
            messages.error(request, str(refused))
    back = posted(request, "back")
    return redirect(back if back.startswith(reverse("chat:conversations")) else "chat:conversations")


def chosen(request: HttpRequest) -> list[UUID]:
    """The ids of the form; what is no id is left out."""
    found = []
    for value in request.POST.getlist("conversation")[:MOST]:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found


def archive(request: HttpRequest, ids: list[UUID]) -> None:
    """Put them away."""
    count = order.archive(person(request), ids, on=True)
    say(
        request,
        ngettext("%(count)d conversation archived.", "%(count)d conversations archived.", count),
        count,
    )


def unarchive(request: HttpRequest, ids: list[UUID]) -> None:
    """Back on the list."""
    count = order.archive(person(request), ids, on=False)
    say(
        request,
        ngettext("%(count)d conversation is back.", "%(count)d conversations are back.", count),
        count,
    )


def delete(request: HttpRequest, ids: list[UUID]) -> None:
    """Delete them, with a way back."""
    count, moment = order.delete(person(request), ids)
    if count:
        messages.success(request, deleted_sentence(count), extra_tags=moment.isoformat())


def restore_these(request: HttpRequest, ids: list[UUID]) -> None:
    """Have deleted ones back."""
    count = order.restore_these(person(request), ids)
    say(
        request,
        ngettext("%(count)d conversation is back.", "%(count)d conversations are back.", count),
        count,
    )


def destroy(request: HttpRequest, ids: list[UUID]) -> None:
    """Delete for good what was deleted."""
    rows = Conversation.objects.deleted_by(person(request)).whole(ids)
    count = rows.lines().count()
    trash.destroy(rows)
    say(
        request,
        ngettext(
            "%(count)d conversation deleted for good.", "%(count)d conversations deleted for good.", count
        ),
        count,
    )


def tag(request: HttpRequest, ids: list[UUID]) -> None:
    """Put tags on them."""
    count = order.add_tags(person(request), ids, posted(request, "tags"))
    say(request, ngettext("%(count)d conversation tagged.", "%(count)d conversations tagged.", count), count)


def move(request: HttpRequest, ids: list[UUID]) -> None:
    """Into a project, or out of any. Raises Http404."""
    wanted = posted(request, "project")
    project = None
    if wanted:
        try:
            pk = UUID(wanted)
        except ValueError:
            raise Refused(_("Choose a project first.")) from None
        project = get_object_or_404(Project.objects.owned_by(person(request)), pk=pk)
    count = order.move(person(request), ids, project)
    say(request, ngettext("%(count)d conversation moved.", "%(count)d conversations moved.", count), count)


def say(request: HttpRequest, sentence: str, count: int) -> None:
    """How many it were."""
    messages.success(request, sentence % {"count": count})


ACTIONS: dict[str, Callable[[HttpRequest, list[UUID]], None]] = {
    "archive": archive,
    "unarchive": unarchive,
    "delete": delete,
    "restore": restore_these,
    "destroy": destroy,
    "tag": tag,
    "move": move,
}


@require_POST
@login_required
def restore(request: HttpRequest) -> HttpResponse:
    """Undo a deletion, which is known by its moment."""
    try:
        moment = datetime.fromisoformat(posted(request, "moment"))
        found = order.restore(person(request), moment) if moment.tzinfo else []
    except (ValueError, OverflowError):
        found = []
    if is_htmx(request):
        response = sidebar(request)
        response.content += frames.partial("undo", "innerHTML", "").encode()
        return response
    if len(found) == 1:
        return redirect(found[0])
    if found:
        count = len(found)
        say(
            request,
            ngettext("%(count)d conversation is back.", "%(count)d conversations are back.", count),
            count,
        )
    else:
        messages.error(request, _("There is nothing to bring back any more."))
    return redirect(address(Place.LIST))


def deleted_sentence(count: int) -> str:
    """What a notice with a way back says."""
    return ngettext("%(count)d conversation deleted.", "%(count)d conversations deleted.", count) % {
        "count": count
    }


def undo_notice(request: HttpRequest, sentence: str, moment: datetime) -> str:
    """The notice for a page that stays, as a partial."""
    html = fragment(request, "chat/fragments/undo.html", {"sentence": sentence, "moment": moment.isoformat()})
    return frames.partial("undo", "innerHTML", html)


def sidebar(request: HttpRequest) -> HttpResponse:
    """The list of conversations, the shown one marked."""
    context = {"sidebar": sidebar_view(person(request), current(request))}
    return render(request, "chat/fragments/sidebar_list.html", context)


def current(request: HttpRequest) -> Conversation | None:
    """The conversation that the browser shows, by the address it tells."""
    found = _SHOWN.search(request.headers.get("HX-Current-URL", ""))
    if found is None:
        return None
    by = {"pk": found["id"]} if found["page"] == "chat" else {"comparison": found["id"], "column": 0}
    return Conversation.objects.owned_by(person(request)).select_related("project").filter(**by).first()

"""Messages that models left for a person."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chat.models import Notice
from chat.views.requests import person

#: Unread ones that a script is told of at a time.
_NEWS = 10


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """All that are kept, the newest first."""
    notices = Notice.objects.owned_by(person(request)).select_related("conversation")
    return render(request, "chat/pages/inbox.html", {"section": "inbox", "notices": list(notices)})


@require_POST
@login_required
def read(request: HttpRequest) -> HttpResponse:
    """The person has seen them."""
    Notice.objects.read(person(request))
    return redirect("chat:inbox")


@require_POST
@login_required
def clear(request: HttpRequest) -> HttpResponse:
    """Delete them all."""
    Notice.objects.clear(person(request))
    return redirect("chat:inbox")


@require_safe
@login_required
def news(request: HttpRequest) -> HttpResponse:
    """The unread ones after a number, oldest first, for the script that shows them in the browser.

    Without a number none, only the number of the newest: what is older was there before the page.
    """
    unread = person(request).unread_notices
    after = request.GET.get("after", "")
    mine = Notice.objects.owned_by(person(request))
    if not (after.isdecimal() and len(after) < 19):
        newest = mine.values_list("pk", flat=True).first()
        return JsonResponse({"unread": unread, "newest": newest or 0, "notices": []})
    rows = list(mine.filter(pk__gt=int(after), read=False).order_by("pk")[:_NEWS]) if unread else []
    found = [{"id": row.pk, "title": row.title, "text": row.text} for row in rows]
    return JsonResponse({"unread": unread, "newest": rows[-1].pk if rows else int(after), "notices": found})

"""Files of messages, for those who may see the message, and never as a page of this site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from chat.access import own_attachment
from chat.views.requests import person

#: Whatever a file may turn out to be for a browser, it runs nothing, loads nothing and is of no origin.
POLICY = "sandbox; default-src 'none'"
#: Bytes behind an address never change; a day, because a message can be deleted.
CACHING = "private, max-age=86400, immutable"
ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


@require_safe
@login_required
def show(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """The file as the model gets it."""
    found = own_attachment(person(request), attachment_id)
    return served(request, found.content, found.media_type, found.name)


@require_safe
@login_required
def thumbnail(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """A small picture of it."""
    found = own_attachment(person(request), attachment_id)
    return served(request, found.thumbnail, "image/webp", found.name)


def served(request: HttpRequest, read: Callable[[], bytes], media_type: str, name: str) -> HttpResponse:
    """The bytes behind headers that keep them from being anything but what they are said to be."""
    try:
        content = read()
    except FileNotFoundError:
        raise Http404 from None
    request.META.pop("HTTP_ACCEPT_ENCODING", None)  # images are compressed already
    response = HttpResponse(content, content_type=media_type)
    filename = PurePath(name).stem + ENDINGS[media_type]  # a JPEG that was sent as x.html is saved as x.jpg
    response["Content-Disposition"] = content_disposition_header(False, filename) or "inline"
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = CACHING
    return response

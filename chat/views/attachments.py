"""Files of messages, for those who may see the message, and never as a page of this site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from chat.access import own_attachment
from chat.presenting.documents import text_view
from chat.views.requests import person

#: Whatever a file may turn out to be for a browser, it runs nothing, loads nothing and is of no origin.
POLICY = "sandbox; default-src 'none'"
#: Bytes behind an address never change; a day, because a message can be deleted.
CACHING = "private, max-age=86400, immutable"
ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


@require_safe
@login_required
def show(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """An image as the model gets it; a document to save, as it came."""
    found = own_attachment(person(request), attachment_id)
    if found.is_image:
        return picture(request, found.content, found.media_type, found.name)
    return served(bytes_of(found.content), found.media_type, found.name, as_attachment=True)


@require_safe
@login_required
def thumbnail(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """A small picture of it."""
    found = own_attachment(person(request), attachment_id)
    return picture(request, found.thumbnail, "image/webp", found.name)


@require_safe
@login_required
def text(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """What a model reads of it, to the letter."""
    found = own_attachment(person(request), attachment_id)
    return served(found.text.encode(), "text/plain; charset=utf-8", f"{found.name}.txt")


@require_safe
@login_required
def read(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """What a model gets of it, as a page; ``?from=`` and ``?to=`` mark a passage of a text, by characters."""
    found = own_attachment(person(request), attachment_id)
    marked = characters(request, "from"), characters(request, "to")
    response = render(request, "chat/pages/file.html", {"file": text_view(found, *marked)})
    response["Cache-Control"] = "private, no-cache"
    return response


def characters(request: HttpRequest, name: str) -> int:
    """A place in a text as an address names it; 0 where it names none."""
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else 0


def picture(request: HttpRequest, read: Callable[[], bytes], media_type: str, name: str) -> HttpResponse:
    """An image to look at. A JPEG that was sent as x.html is saved as x.jpg."""
    request.META.pop("HTTP_ACCEPT_ENCODING", None)  # it is compressed already
    return served(bytes_of(read), media_type, PurePath(name).stem + ENDINGS[media_type])


def bytes_of(read: Callable[[], bytes]) -> bytes:
    """Raises Http404 where they are gone from the data folder."""
    try:
        return read()
    except FileNotFoundError:
        raise Http404 from None


def served(content: bytes, media_type: str, name: str, *, as_attachment: bool = False) -> HttpResponse:
    """The bytes behind headers that keep them from being anything but what they are said to be."""
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment, name) or "inline"
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = CACHING
    return response

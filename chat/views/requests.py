"""What views know of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def person(request: HttpRequest) -> User:
    """Who is signed in. Only behind ``login_required``."""
    return cast("User", request.user)


def posted(request: HttpRequest, name: str) -> str:
    """A field of a form, without NUL, which no database keeps."""
    return request.POST.get(name, "").replace("\x00", "")


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a fragment; a page restored from history wants the whole."""
    return request.headers.get("HX-Request") == "true" and not request.headers.get(
        "HX-History-Restore-Request"
    )

"""What views know of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def administrators_only(view: View[P]) -> View[P]:
    """Others get 403; strangers are asked to sign in."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)


def person(request: HttpRequest) -> User:
    """Who is signed in. Only behind ``login_required``."""
    return cast("User", request.user)


def posted(request: HttpRequest, name: str) -> str:
    """A field of a form, without NUL, which no database keeps."""
    return request.POST.get(name, "").replace("\x00", "")


def fragment(request: HttpRequest, template: str, context: dict[str, Any]) -> SafeString:
    """A piece of a page."""
    return render_to_string(template, context, request)


def uuid_or_404(text: str) -> UUID:
    """The id that an address or a form gives. Raises Http404 for anything else."""
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a fragment; a page restored from history wants the whole."""
    return request.headers.get("HX-Request") == "true" and not request.headers.get(
        "HX-History-Restore-Request"
    )

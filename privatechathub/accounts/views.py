"""Set-up, invitations, people, preferences."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backends.discovery import find_servers, known_addresses
from backends.models import Backend
from privatechathub.accounts import setup as first
from privatechathub.accounts.adapter import SESSION_KEY
from privatechathub.accounts.forms import PlaceForm, SetupForm
from privatechathub.accounts.models import Invitation, Theme, User

#: Where the session keeps the links of invitations made in it; they are not to be had again.
FRESH_LINKS = "fresh_invitations"


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the list of people."""

    username: str
    name: str
    is_staff: bool
    is_you: bool
    last_login: datetime | None


@dataclass(frozen=True, slots=True)
class Link:
    """One open invitation. ``url`` is empty where the link was shown in an earlier session."""

    id: int
    url: str
    expires: datetime
    note: str


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """The first account, behind the link that the terminal printed."""
    if not first.token_is_right(token):
        raise Http404
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = first.use_link(form.cleaned_data["username"], form.cleaned_data["password"])
        if user is None:
            raise Http404
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("hub:setup-servers")
    context = {"form": form, "step": 1}
    return render(request, "chat/pages/setup.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
def setup_servers(request: HttpRequest) -> HttpResponse:
    """What answers on this machine, each to be added at a click."""
    administrators_only(request)
    found = asyncio.run(find_servers(known=known_addresses()))
    builtin = Backend.objects.enabled().filter(managed=True).exists()
    return render(request, "chat/pages/setup.html", {"step": 2, "found": found, "builtin": builtin})


@require_safe
@login_required
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, and the open invitations."""
    administrators_only(request)
    fresh = request.session.get(FRESH_LINKS, {})
    context = {
        "section": "people",
        "people": [
            Person(
                user.username, user.display_name, user.is_staff, user.pk == request.user.pk, user.last_login
            )
            for user in User.objects.filter(is_active=True).order_by("username")
        ],
        "invitations": [
            Link(row.pk, fresh.get(str(row.pk), ""), row.expires_at, row.note)
            for row in Invitation.objects.usable()
        ],
    }
    return render(request, "chat/pages/people.html", context)


@require_POST
@login_required
def invite(request: HttpRequest) -> HttpResponse:
    """A new invitation link."""
    administrators_only(request)
    row, token = Invitation.issue(cast(User, request.user), request.POST.get("note", "")[:80].strip())
    url = request.build_absolute_uri(reverse("hub:invitation", args=[token]))
    request.session[FRESH_LINKS] = request.session.get(FRESH_LINKS, {}) | {str(row.pk): url}
    return redirect("hub:people")


@require_POST
@login_required
def revoke(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """The link works no longer."""
    administrators_only(request)
    get_object_or_404(Invitation.objects.usable(), pk=invitation_id).delete()
    return redirect("hub:people")


@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link that a new person was sent."""
    if Invitation.objects.by_token(token) is None:
        return render(request, "account/signup_closed.html", status=404)
    request.session[SESSION_KEY] = token
    return redirect("account_signup")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings(request: HttpRequest) -> HttpResponse:
    """What a person chooses for themselves."""
    form = PlaceForm(request.POST or None, instance=cast(User, request.user))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("hub:settings")
    context = {"section": "settings", "form": form}
    return render(request, "chat/pages/settings.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device."""
    choice = request.POST.get("theme", "")
    if choice not in Theme.values:
        messages.error(request, _("There is no such theme."))
    else:
        User.objects.filter(pk=cast(User, request.user).pk).update(theme=choice)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    back = request.POST.get("next") or request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "hub:settings")


def administrators_only(request: HttpRequest) -> None:
    """Raise PermissionDenied for everybody else."""
    if not cast(User, request.user).is_staff:
        raise PermissionDenied

"""How allauth behaves here: nobody makes an account without an invitation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from privatechathub.accounts.models import Invitation

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Where the session keeps the invitation that the person came with.
SESSION_KEY = "invitation"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up by invitation link only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Only with a usable invitation in the session."""
        return invitation_of(request) is not None

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The invitation is used up with the account, even by two at the same time."""
        invitation = invitation_of(request)
        taken = invitation and Invitation.objects.usable().filter(pk=invitation.pk).update(
            used_at=timezone.now()
        )
        if not invitation or not taken:
            raise PermissionDenied
        saved: User = super().save_user(request, user, form, commit)
        Invitation.objects.filter(pk=invitation.pk).update(used_by=saved)
        request.session.pop(SESSION_KEY, None)
        return saved


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation that this browser came with, while it is usable."""
    token = request.session.get(SESSION_KEY, "")
    return Invitation.objects.by_token(token) if token else None

"""Which of a person's projects a form means."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext as _

from chat.models import Project
from chat.services.refusals import Refused

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def choose_project(user: User, project_id: str) -> Project | None:
    """The project that a new conversation will belong to. Raises Refused for one that is not there."""
    found = find_project(user, project_id)
    if project_id and not found:
        raise Refused(_("This project is gone. Send again to ask outside of it."))
    return found


def find_project(user: User, project_id: str) -> Project | None:
    """This person's project of that id; None for none and for one that is not theirs. No query without an id."""
    try:
        pk = UUID(project_id)
    except ValueError:
        return None
    return Project.objects.owned_by(user).select_related("backend").filter(pk=pk).first()

"""The library of system prompts: choosing an entry, copying one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.models import SystemPrompt
from chat.services.refusals import Refused

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def choose_prompt(user: User, value: str) -> SystemPrompt | None:
    """The entry whose id a form names, None for none. Raises Refused where this person may not use it."""
    if not value:
        return None
    try:
        found = SystemPrompt.objects.usable_by(user).filter(pk=UUID(value)).first()
    except ValueError:
        found = None
    if found is None:
        raise Refused(_("This system prompt is gone. Choose another one."))
    return found


def copy_prompt(user: User, prompt: SystemPrompt, *, shared: bool = False) -> SystemPrompt:
    """The same once more, as the person's own or for everybody."""
    return SystemPrompt.objects.create(
        owner=None if shared else user, name=prompt.name, description=prompt.description, text=prompt.text
    )


def delete_prompt(prompt: SystemPrompt) -> None:
    """Delete it; conversations that follow it keep its text."""
    with write_transaction():
        prompt.delete()

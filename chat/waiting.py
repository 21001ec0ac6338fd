"""A message that waits for its server, as the thread shows it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from chat.health import health_view
from chat.models import Generation, Message, Status
from chat.presenters.waiting import OtherModel, WaitingView
from chat.services.models import usable_models

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def waiting_view(row: Message, generation: Generation) -> WaitingView | None:
    """Why it waits, until when, and where it could go instead; None where it does not wait for its server."""
    if generation.status != Status.QUEUED or not generation.awaits_server:
        return None
    if generation.alias:  # its server's name would tell which model it is
        return WaitingView(sentence=sentence(generation), health=None)
    return WaitingView(
        sentence=sentence(generation),
        health=health_view(generation.backend) if generation.backend else None,
        models=other_models(row.conversation.owner),
    )


def sentence(generation: Generation) -> str:
    """What happens and when. Where the clock is not asked, the watch over the server is."""
    parts = [
        _("“%(name)s” does not answer. Your message is sent when it is back.")
        % {"name": generation.alias or generation.backend_name}
    ]
    if generation.retry_at is not None:
        seconds = math.ceil((generation.retry_at - timezone.now()).total_seconds())
        parts.append(
            _("Next try in %(seconds)d s.") % {"seconds": seconds} if seconds > 0 else _("Trying now…")
        )
    return " ".join(parts)


def other_models(user: User) -> tuple[OtherModel, ...]:
    """Models of servers that are there, in the picker's order, the first one selected."""
    offered = (offer.model for offer in usable_models(user) if offer.is_shown)
    there = [model for model in offered if not model.backend.is_away]
    return tuple(
        OtherModel(model.ref, str(model), model.backend.name, selected=model is there[0]) for model in there
    )

"""How a comparison ends: a vote, keeping one column, or none."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation.updates import Kind
from chat.models import Comparison, Conversation, Generation, Outcome, Vote
from chat.services.answers import bump, stop_answers
from chat.services.refusals import Refused
from chat.services.sending import tell

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


@dataclass(frozen=True, slots=True)
class Tally:
    """What a person's blind votes say of one model."""

    label: str
    place: str
    won: int
    tied: int
    lost: int

    @property
    def votes(self) -> int:
        """In how many it stood."""
        return self.won + self.tied + self.lost


def vote(comparison: Comparison, winner: Conversation | None) -> None:
    """Say which column was best, None for a draw, and learn the names. Raises Refused before the answers ended."""
    with write_transaction():
        held = Comparison.objects.select_for_update().get(pk=comparison.pk)
        if not held.wants_vote:
            raise Refused(_("You have voted on this comparison already."))
        columns = list(held.columns.select_related("backend").order_by("column"))
        rows = Generation.objects.filter(message__conversation__in=columns)
        if rows.active().exists():
            raise Refused(_("Vote when all answers have ended."))
        ballot = uuid.uuid4()
        Vote.objects.bulk_create(
            vote_for(held, column, ballot, outcome_of(column, winner)) for column in columns
        )
        held.voted_at = timezone.now()
        held.save(update_fields=["voted_at"])
        rows.update(alias="")
        held.columns.update(alias="")
        for column in columns:
            bump(column)
    for column in columns:
        tell(Kind.CHANGED, column)


def outcome_of(column: Conversation, winner: Conversation | None) -> Outcome:
    """What the vote says of that column."""
    if winner is None:
        return Outcome.TIED
    return Outcome.WON if column.pk == winner.pk else Outcome.LOST


def vote_for(comparison: Comparison, column: Conversation, ballot: uuid.UUID, outcome: Outcome) -> Vote:
    """The row of one column."""
    newest = Generation.objects.filter(message__conversation=column).order_by("-created_at").first()
    return Vote(
        owner_id=comparison.owner_id,
        ballot=ballot,
        model_id=column.model_id,
        label=(newest.model_name if newest else "") or column.model_id,
        place=newest.backend_name if newest else "",
        outcome=outcome,
    )


def tally(user: User) -> list[Tally]:
    """The person's votes by model, the most often best first. One query."""
    rows = (
        Vote.objects.filter(owner=user)
        .order_by()
        .values("model_id", "place")
        .annotate(
            name=Max("label"),
            won=Count("pk", filter=Q(outcome=Outcome.WON)),
            tied=Count("pk", filter=Q(outcome=Outcome.TIED)),
            lost=Count("pk", filter=Q(outcome=Outcome.LOST)),
        )
    )
    found = [Tally(row["name"], row["place"], row["won"], row["tied"], row["lost"]) for row in rows]
    return sorted(found, key=lambda one: (-one.won, one.lost, one.label))


def keep(comparison: Comparison, column: Conversation) -> tuple[Conversation, datetime]:
    """Go on with this one alone: all become ordinary conversations, and the others are deleted.

    Gives it, and the moment by which ``order.restore`` brings the others back.
    """
    columns = comparison.columns.order_by("-column")
    for other in columns.exclude(pk=column.pk):
        stop_answers(other)
    moment = timezone.now()
    with write_transaction():
        ids = list(columns.values_list("pk", flat=True))
        rows = Conversation.objects.filter(pk__in=ids)
        Generation.objects.filter(message__conversation__in=ids).update(alias="", after=None)
        rows.exclude(pk=column.pk).update(deleted_at=moment)
        rows.update(comparison=None, column=0, alias="", revision=F("revision") + 1)
        comparison.delete()
    kept = Conversation.objects.get(pk=column.pk)
    tell(Kind.CHANGED, kept)
    return kept, moment

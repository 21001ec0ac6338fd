"""What a person has set for themselves as portable values, and what becomes of that of a file.

Whatever the person has chosen here already stays: an import fills in the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from backends.models import Backend, CatalogueModel
from backends.preferences import ModelPreference
from chat.models import Vote
from chat.transfer import fields
from chat.transfer.portable import ModelName, Settings, Wish
from chat.transfer.servers import ref_of, told_ref

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def settings_of(user: User) -> Settings:
    """Everything of this person. Three queries."""
    names = dict(Backend.objects.values_list("slug", "name"))
    wishes = ModelPreference.objects.filter(user=user).select_related("model__backend")
    return Settings(
        values=_values(user),
        default_model=_named(user.default_model, names),
        last_model=_named(user.last_model, names),
        wishes=tuple(
            Wish(ModelName(row.model.backend.name, row.model.model_id), row.favourite, row.hidden)
            for row in wishes.order_by("model__backend__name", "model__model_id")
        ),
        votes=tuple(
            {name: str(row.ballot) if name == "ballot" else getattr(row, name) for name in fields.VOTE}
            for row in Vote.objects.filter(owner=user)
        ),
    )


def _values(user: User) -> dict[str, Any]:
    """Those of the person's own row; empty ones were never chosen."""
    return fields.read(fields.PERSON, {name: getattr(user, name) for name in fields.PERSON})


def _named(ref: str, names: Mapping[str, str]) -> ModelName | None:
    backend, model_id = told_ref(ref, names)
    return ModelName(backend, model_id) if model_id else None


def lacking(owner: User, settings: Settings) -> int:
    """How much of it the person has not chosen yet."""
    return len(_columns(owner, settings)) + len(_wishes(owner, settings)) + len(_votes(owner, settings))


def take_in(owner: User, settings: Settings) -> None:
    """Store what the person has not chosen yet. Inside the caller's transaction."""
    owner = type(owner).objects.select_for_update().get(pk=owner.pk)  # as it is now, one import at a time
    columns = _columns(owner, settings)
    for name, value in columns.items():
        setattr(owner, name, value)
    if columns:
        owner.save(update_fields=list(columns))
    ModelPreference.objects.bulk_create(_wishes(owner, settings), ignore_conflicts=True)
    votes = _votes(owner, settings)
    moments = [vote.voted_at for vote in votes]
    Vote.objects.bulk_create(votes)
    for vote, moment in zip(votes, moments, strict=True):
        vote.voted_at = moment  # adding it has set another
    Vote.objects.bulk_update(votes, ["voted_at"], batch_size=200)


def _columns(owner: User, settings: Settings) -> dict[str, Any]:
    """Column -> value of what would change on the person's own row."""
    chosen = _values(owner)
    found = {name: value for name, value in settings.values.items() if value and not chosen[name]}
    tools = {**settings.values["tools"], **chosen["tools"]}
    found |= {"tools": tools} if tools != chosen["tools"] else {}
    for name, model in (("default_model", settings.default_model), ("last_model", settings.last_model)):
        ref = ref_of(owner, model.backend, model.model_id) if model and not getattr(owner, name) else ""
        if ref:
            found[name] = ref
    return found


def _wishes(owner: User, settings: Settings) -> list[ModelPreference]:
    """Wishes of models that the person may use here and has none of."""
    if not settings.wishes:
        return []
    usable = CatalogueModel.objects.for_chat().usable_by(owner).exclude(preferences__user=owner)
    rows = {ModelName(row.backend.name, row.model_id): row for row in usable.select_related("backend")}
    return [
        ModelPreference(user=owner, model=row, favourite=wish.favourite, hidden=wish.hidden)
        for name, wish in {wish.model: wish for wish in settings.wishes}.items()
        if (row := rows.get(name))
    ]


def _votes(owner: User, settings: Settings) -> list[Vote]:
    """Votes of ballots that the person's tally does not count yet."""
    if not settings.votes:
        return []
    known = set(Vote.objects.filter(owner=owner).values_list("ballot", flat=True))
    new = (vote for vote in settings.votes if UUID(vote["ballot"]) not in known)
    return [Vote(owner=owner, **{**vote, "voted_at": vote["voted_at"] or timezone.now()}) for vote in new]

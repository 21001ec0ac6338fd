"""The model picker: which models it offers a person, in which groups, and which one it begins with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from backends.adapters.base import Capability
from backends.models import CatalogueModel, State
from chat.health import health_view
from chat.models import Conversation
from chat.presenters.models import ModelChoice, ModelGroup
from chat.services.models import Offer

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def model_groups(
    offers: list[Offer], user: User, conversation: Conversation | None = None, ref: str = ""
) -> tuple[ModelGroup, ...]:
    """Favourites first, then one group a backend. ``ref`` is what the form was sent with.

    A model that is hidden stays offered where the conversation uses it.
    """
    chosen = begins_with(offers, user, conversation, ref)
    offered = [offer for offer in offers if offer.is_shown or offer.model.ref == chosen]
    favourites = [offer.model for offer in offered if offer.favourite]
    groups: dict[int, list[CatalogueModel]] = {}
    for offer in offered:
        if not offer.favourite:
            groups.setdefault(offer.model.backend_id, []).append(offer.model)
    return (
        *([favourite_group(favourites, chosen)] if favourites else []),
        *(backend_group(rows, chosen) for rows in groups.values()),
    )


def begins_with(offers: list[Offer], user: User, conversation: Conversation | None, ref: str) -> str:
    """The model that is selected: the conversation's, else the person's, else the hub's, else the first."""
    usable = {offer.model.ref for offer in offers}
    shown = [offer.model for offer in offers if offer.is_shown]
    in_use = ref or (ref_of_conversation(conversation) if conversation else "")
    if in_use in usable:
        return in_use
    refs = {model.ref for model in shown}
    wanted = (wish for wish in wishes(user, shown) if wish in refs)
    favourites = (offer.model.ref for offer in offers if offer.is_shown and offer.favourite)
    return next(wanted, "") or next(favourites, "") or next((model.ref for model in shown), "")


def wishes(user: User, shown: list[CatalogueModel]) -> Iterator[str]:
    """What a new conversation should begin with, the strongest wish first."""
    yield user.default_model
    yield user.last_model
    yield from (model.ref for model in shown if model.hub_default)


def ref_of_conversation(conversation: Conversation) -> str:
    """The model that the conversation used last."""
    return f"{conversation.backend.slug}/{conversation.model_id}" if conversation.backend else ""


def favourite_group(models: list[CatalogueModel], chosen: str) -> ModelGroup:
    """The favourites, each with the name of its backend."""
    choices = tuple(model_choice(model, chosen, place(model)) for model in models)
    return ModelGroup(backend=_("Favourites"), offline=False, choices=choices)


def place(model: CatalogueModel) -> str:
    """The model's backend, and whether that is away."""
    name = model.backend.name
    return _("%(name)s (offline)") % {"name": name} if model.backend.state == State.OFFLINE else name


def backend_group(models: list[CatalogueModel], chosen: str) -> ModelGroup:
    """The models of one backend."""
    backend = models[0].backend
    return ModelGroup(
        backend=backend.name,
        offline=backend.state == State.OFFLINE,
        choices=tuple(model_choice(model, chosen) for model in models),
    )


def model_choice(model: CatalogueModel, chosen: str, where: str = "") -> ModelChoice:
    """One line of the picker."""
    notes = (str(model.details.get("note", "")) or model.parameter_size, where)
    return ModelChoice(
        value=model.ref,
        label=str(model),
        note=" · ".join(part for part in notes if part),
        selected=model.ref == chosen,
        vision=bool(model.can(Capability.VISION)),
        tools=bool(model.can(Capability.TOOLS)),
        reasoning=bool(model.can(Capability.REASONING)),
        health=health_view(model.backend),
    )

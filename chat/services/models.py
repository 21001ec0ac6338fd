"""Which models there are for a person, and which of them they may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from backends.access import Access
from backends.models import CatalogueModel
from chat.services.refusals import Refused

if TYPE_CHECKING:
    from backends.models import CatalogueModelQuerySet
    from privatechathub.accounts.models import User


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that a person may use, and what they want of it. ``hidden`` is their own wish alone."""

    model: CatalogueModel
    favourite: bool = False
    hidden: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether pickers offer it: neither the person nor the hub hides it."""
        return not self.hidden and not self.model.hidden


def usable_models(user: User) -> list[Offer]:
    """Models that this person may ask, in the picker's order, hidden ones too. One query, two where a rule keeps
    somebody out.
    """
    return offers(user, CatalogueModel.objects.for_chat())


def visible_models(user: User, **narrower: int) -> list[Offer]:
    """The catalogue as this person may see it, with what cannot chat. As many queries."""
    rows = CatalogueModel.objects.listed().filter(backend__enabled=True, **narrower).select_related("backend")
    return offers(user, rows if user.is_staff else rows.filter(hidden=False))


def offers(user: User, rows: CatalogueModelQuerySet) -> list[Offer]:
    """Those of the rows that this person may use, with their preferences."""
    found = list(rows.with_wishes_of(user))
    if not user.is_staff and not all(is_open_to_everyone(row) for row in found):
        usable = set(rows.usable_by(user).values_list("pk", flat=True))
        found = [row for row in found if row.pk in usable]
    return [Offer(row, favourite=bool(row.is_favourite), hidden=bool(row.is_unwanted)) for row in found]


def is_open_to_everyone(model: CatalogueModel) -> bool:
    """Whether no rule keeps anybody out."""
    return model.access == Access.EVERYONE == model.backend.access


def find_model(user: User, ref: str) -> CatalogueModel:
    """The model of ``BACKEND-SLUG/MODEL-ID``. Raises Refused where this person may not use it or it is gone."""
    slug, _sep, model_id = ref.partition("/")
    found = CatalogueModel.objects.for_chat().filter(backend__slug=slug, model_id=model_id).order_by()[:1]
    model = next(iter(found), None)
    if model is None or not (model.backend.is_open_to(user) and model.is_open_to(user)):
        raise Refused(
            _("Pick a model first.") if not ref else _("This model is not available. Pick another one.")
        )
    return model

"""Which model a person may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from backends.models import Backend, CatalogueModel
from chat.services.refusals import Refused

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def usable_models(user: User) -> list[CatalogueModel]:
    """Models that can answer, of backends that this person may use, in the picker's order."""
    return list(CatalogueModel.objects.for_chat().filter(backend__in=Backend.objects.usable_by(user)))


def find_model(user: User, ref: str) -> CatalogueModel:
    """The model of ``BACKEND-SLUG/MODEL-ID``. Raises Refused where this person may not use it or it is gone."""
    slug, _sep, model_id = ref.partition("/")
    model = (
        CatalogueModel.objects.for_chat()
        .filter(backend__in=Backend.objects.usable_by(user), backend__slug=slug, model_id=model_id)
        .first()
    )
    if model is None:
        raise Refused(
            _("Pick a model first.") if not ref else _("This model is not available. Pick another one.")
        )
    return model

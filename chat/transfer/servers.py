"""Servers that a file names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.models import CatalogueModel

if TYPE_CHECKING:
    from backends.models import Backend
    from privatechathub.accounts.models import User


def usable_backend(owner: User, name: str, model_id: str) -> Backend | None:
    """The server of that name, where this person may use that model of it."""
    if not name:
        return None
    usable = CatalogueModel.objects.for_chat().usable_by(owner).select_related("backend")
    model = usable.filter(backend__name=name, model_id=model_id).first()
    return model.backend if model else None

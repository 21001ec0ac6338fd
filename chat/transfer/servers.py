"""Servers that a file names."""

from __future__ import annotations

from collections.abc import Mapping
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


def ref_of(owner: User, name: str, model_id: str) -> str:
    """That model as pages name it, where this person may use it; else empty."""
    backend = usable_backend(owner, name, model_id)
    return f"{backend.slug}/{model_id}" if backend else ""


def told_ref(ref: str, names: Mapping[str, str]) -> tuple[str, str]:
    """The server's name and the model of a ``BACKEND-SLUG/MODEL-ID``; ``names`` are those of servers by slug."""
    slug, _sep, model_id = ref.partition("/")
    return (names[slug], model_id) if slug in names and model_id else ("", "")

"""Which models can call the hub's tools."""

from __future__ import annotations

from django.utils import timezone

from backends.adapters.base import Capability
from backends.adapters.registry import adapter_class
from backends.models import CatalogueModel


def takes_tools(kind: str, model: CatalogueModel | None) -> bool:
    """Whether to offer tools: the wire carries them, and the model is not known to be without.

    Where the server does not tell, or does not list the model any more, the request finds out.
    """
    if not adapter_class(kind).takes_tools:
        return False
    return model is None or (model.can(Capability.TOOLS) is not False and not model.refuses_tools)


def remember_refusal(backend_id: int | None, model_id: str) -> None:
    """The server refused tools for this model: the next questions are asked without them."""
    CatalogueModel.objects.filter(backend=backend_id, model_id=model_id).update(
        tools_refused_at=timezone.now()
    )

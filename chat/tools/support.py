"""Which models can call the hub's tools."""

from __future__ import annotations

from collections.abc import Collection

from backends.adapters.base import Capability
from backends.adapters.registry import adapter_class


def takes_tools(kind: str, capabilities: Collection[str] | None) -> bool:
    """Whether to offer tools: the wire carries them, and the model is not known to be without.

    ``capabilities`` is None where the server does not tell; then the request finds out.
    """
    return adapter_class(kind).takes_tools and (capabilities is None or Capability.TOOLS in capabilities)

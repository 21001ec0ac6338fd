"""A message whose server is away."""

from __future__ import annotations

from dataclasses import dataclass

from chat.presenters.models import HealthView


@dataclass(frozen=True, slots=True)
class OtherModel:
    """A model that a waiting message could be sent to; ``value`` is ``BACKEND-SLUG/MODEL-ID``."""

    value: str
    label: str
    backend: str
    selected: bool


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A message whose server is away. ``models`` are those it could be sent to instead."""

    sentence: str
    health: HealthView | None
    models: tuple[OtherModel, ...] = ()

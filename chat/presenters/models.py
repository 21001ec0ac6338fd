"""Models to pick from, and how their servers are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthView:
    """How a server is. ``state``: online, offline, checking. ``sentence`` says it in words."""

    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One line of the model picker; ``value`` is ``BACKEND-SLUG/MODEL-ID``."""

    value: str
    label: str
    note: str = ""
    selected: bool = False
    vision: bool = False
    tools: bool = False
    reasoning: bool = False
    health: HealthView | None = None


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """The models of one backend. ``offline`` ones stay listed and can still be picked."""

    backend: str
    offline: bool
    choices: tuple[ModelChoice, ...]

    @property
    def label(self) -> str:
        """The heading: the name, and since when the server is away."""
        health = self.choices[0].health if self.offline and self.choices else None
        return f"{self.backend} · {health.sentence}" if health else self.backend

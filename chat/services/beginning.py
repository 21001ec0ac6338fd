"""What a new conversation begins with beside its first question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chat.models import Project, SystemPrompt
from chat.services.presets import PresetChoice


@dataclass(frozen=True, slots=True)
class Beginning:
    """An entry of the library that it follows with the answers to what that asks, a preset, and its project."""

    prompt: SystemPrompt | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    preset: PresetChoice = field(default_factory=PresetChoice)
    project: Project | None = None

    def columns(self) -> dict[str, Any]:
        """As a conversation has it."""
        return {
            "project": self.project,
            "prompt": self.prompt,
            "prompt_values": dict(self.answers),
            **self.preset.columns(),
        }

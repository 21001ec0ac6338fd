"""The form for the next question."""

from __future__ import annotations

from dataclasses import dataclass

from chat.presenters.meter import MeterView
from chat.presenters.models import HealthView, ModelGroup


@dataclass(frozen=True, slots=True)
class ComposerView:
    """The form at the bottom.

    ``key`` makes a repeated submit harmless. ``draft`` is text that came back with an error, or what was typed
    before, then ``draft_is_saved``; ``draft_url`` keeps it. ``accept``: what
    file choosers offer, as HTML wants it.
    ``tools_hint``: a sentence where tools are wanted, but the chosen model knows none.
    ``active``: an answer is running or queued, so the stop button is offered. ``project_id``: what a new
    conversation will belong to.
    """

    action: str
    key: str
    models: tuple[ModelGroup, ...]
    stop_url: str = ""
    active: bool = False
    draft: str = ""
    draft_is_saved: bool = False
    draft_url: str = ""
    error: str = ""
    accept: str = ""
    tools_hint: str = ""
    meter: MeterView | None = None
    project_id: str = ""

    @property
    def health(self) -> HealthView | None:
        """How the server of the chosen model is."""
        choices = (choice for group in self.models for choice in group.choices)
        return next((choice.health for choice in choices if choice.selected), None)

"""The person's word on what a server asks while it answers."""

from __future__ import annotations

from chat.generation import ask_rows, runtime
from chat.models import Ask, AskState


def answer_ask(ask: Ask, state: AskState, words: list[list[str]] | None = None) -> bool:
    """Keep the answer and have it handed over. False where there was one already, which stays."""
    if not ask_rows.settle(Ask.objects.filter(pk=ask.pk), state, words):
        return False
    if running := runtime.current():
        running.answered_soon(ask.generation_id)
    return True

"""Tells the watchers of a conversation what a run has added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from backends.adapters.events import Phase, ToolActivity
from backends.adapters.events import Status as BackendStatus
from backends.database import in_database
from chat.generation import waiting
from chat.generation.run import Run
from chat.generation.updates import Bus, Kind, Update


@dataclass(slots=True)
class Teller:
    """Changes a run and says so; nothing is rendered where nobody watches."""

    bus: Bus

    async def grow(self, run: Run, texts: list[str], reasonings: list[str]) -> None:
        """Append, and tell. Empties both lists."""
        text, reasoning = "".join(texts), "".join(reasonings)
        texts.clear()
        reasonings.clear()
        if not text and not reasoning:
            return
        await self.arrived(run)
        text, reasoning = run.spaced(text, reasoning)
        offset, reasoning_offset = run.text.length, run.reasoning.length
        run.grow(text, reasoning)
        run.phase = ""
        if self.bus.watched(run.conversation_id):
            await self.bus.publish(
                Update(
                    Kind.GREW,
                    run.conversation_id,
                    run.message_id,
                    text=text,
                    offset=offset,
                    reasoning=reasoning,
                    reasoning_offset=reasoning_offset,
                    thought_seconds=run.thought_seconds if run.reasoning_ended else None,
                )
            )

    async def arrived(self, run: Run) -> None:
        """Something came: a server that was waited for is back."""
        if run.awaits_server:
            await in_database(waiting.arrived, run.generation_id)
            run.awaits_server = False

    async def activity(self, run: Run, event: ToolActivity) -> None:
        """Keep what is told of a tool call, and tell it where its card changes."""
        row = run.activities.take(event)
        if row is None:
            return
        await self.arrived(run)
        run.phase = ""
        if self.bus.watched(run.conversation_id):
            await self.bus.publish(
                Update(Kind.ACTIVITY, run.conversation_id, run.message_id, activities=[row.shown()])
            )

    async def tell_asks(self, run: Run) -> None:
        """What waits for the person now."""
        await self.bus.publish(Update(Kind.ASKS, run.conversation_id, run.message_id, asks=shown_asks(run)))

    async def phase(self, run: Run, text: str, progress: float | None = None) -> None:
        """Say what the backend is doing, while nothing has come yet."""
        percent = None if progress is None else round(max(0.0, min(progress, 1.0)) * 100)
        if (text, percent) == (run.phase, run.progress):
            return
        run.phase, run.progress = text, percent
        await self.bus.publish(
            Update(Kind.PHASE, run.conversation_id, run.message_id, phase=text, progress=percent)
        )

    async def tell_all(self, run: Run, kind: Kind = Kind.FULL) -> None:
        """The whole state of the run, for watchers that begin or begin again."""
        await self.bus.publish(
            Update(
                kind,
                run.conversation_id,
                run.message_id,
                text=str(run.text),
                reasoning=str(run.reasoning),
                thought_seconds=run.thought_seconds if run.reasoning_ended else None,
                phase=run.phase,
                progress=run.progress,
                activities=[row.shown() for row in run.activities.all()],
                asks=shown_asks(run),
            )
        )


def shown_asks(run: Run) -> list[dict[str, Any]]:
    """The open requests as cards show them."""
    return [row.shown() for row in run.asks.open] if run.asks else []


def sentence(status: BackendStatus) -> str:
    """What the page says for a phase."""
    texts = {
        Phase.QUEUED: _("Waiting for the AI server…"),
        Phase.LOADING: _("Loading the model…"),
        Phase.PROMPT: _("Reading the conversation…"),
        Phase.THINKING: _("Thinking…"),
        Phase.GENERATING: _("Answering…"),
        Phase.RETRYING: _("The AI server tries again…"),
        Phase.TOOL: _("Using a tool…"),
    }
    text = texts[status.phase]
    return f"{text} {_(status.detail)}" if status.detail and status.phase is Phase.RETRYING else text

"""One running answer as the watching pages have it: text and reasoning, rendered as they grow."""

from __future__ import annotations

from dataclasses import replace

from chat.cards import activity_views, ask_views
from chat.generation.updates import Update
from chat.markdown import MarkdownStream
from chat.presenters.message import MessageView
from chat.presenting.message import safe
from chat.realtime import frames


class LiveAnswer:
    """Keeps the pages of all watchers equal; every watcher gets the same frames."""

    def __init__(self, view: MessageView, full: Update) -> None:
        self.view = view
        self.text = MarkdownStream(f"m{view.id}")
        self.reasoning = MarkdownStream(f"m{view.id}-reasoning")
        self.length = self.reasoning_length = 0
        self.thought_seconds: int | None = None
        self.reset(full)

    def reset(self, full: Update) -> None:
        """Begin again with this text."""
        for stream, text in ((self.text, full.text), (self.reasoning, full.reasoning)):
            stream.reset(text)
            stream.flush()  # the article that is sent next shows it
        self.length, self.reasoning_length = len(full.text), len(full.reasoning)
        self.thought_seconds = full.thought_seconds
        self.view = replace(
            self.view,
            status="running",
            phase=full.phase,
            progress=full.progress,
            queue_place=None,
            activities=activity_views(full.activities),
            asks=ask_views(full.asks),
        )

    def fits(self, update: Update) -> bool:
        """Whether this is the next piece; if not, one was missed."""
        return update.offset == self.length and update.reasoning_offset == self.reasoning_length

    def grow(self, update: Update) -> str:
        """Take the piece; gives the frame that shows it."""
        parts = [self.without_phase()]
        if update.reasoning:
            parts.append(self.grow_reasoning(update.reasoning))
        if update.thought_seconds is not None and self.thought_seconds is None:
            self.thought_seconds = update.thought_seconds
            parts.append(self.reasoning_element())
        if update.text:
            self.length += len(update.text)
            self.text.feed(update.text)
            parts.append(frames.patches(self.text.flush()))
        return "".join(parts)

    def grow_reasoning(self, text: str) -> str:
        """Take a piece of reasoning; the first one makes its element appear."""
        first = self.reasoning_length == 0
        self.reasoning_length += len(text)
        self.reasoning.feed(text)
        changes = self.reasoning.flush()
        return self.reasoning_element() if first else frames.patches(changes)

    def reasoning_element(self) -> str:
        """The folded trace as it is now."""
        return frames.reasoning(self.current())

    def without_phase(self) -> str:
        """Nothing is said of what the backend does once something comes."""
        if not self.view.phase:
            return ""
        return self.phase("", None)

    def show_activities(self, update: Update) -> str:
        """Tool calls that began or changed."""
        parts = [self.without_phase()]
        for changed in activity_views(update.activities):
            known = self.view.activities
            is_new = changed.id not in {one.id for one in known}
            others = (
                (*known, changed) if is_new else (changed if one.id == changed.id else one for one in known)
            )
            self.view = replace(self.view, activities=tuple(others))
            parts.append(frames.activity(self.view.id, changed, is_new=is_new))
        return "".join(parts)

    def show_asks(self, update: Update) -> str:
        """The requests that are open now; those that stay are left alone, somebody may be typing there."""
        asks, before = ask_views(update.asks), {one.id for one in self.view.asks}
        gone = before - {one.id for one in asks}
        self.view = replace(self.view, asks=asks)
        fresh = (frames.ask(self.view.id, one) for one in asks if one.id not in before)
        return "".join((*map(frames.ask_gone, gone), *fresh))

    def phase(self, text: str, progress: int | None) -> str:
        """Another sentence of what the backend does."""
        self.view = replace(self.view, phase=text, progress=progress)
        return frames.phase(self.view.id, text, progress)

    def current(self) -> MessageView:
        """The answer as it is now, with the ids that later frames refer to."""
        return replace(
            self.view,
            html=safe(self.text.snapshot()),
            text="",
            reasoning_html=safe(self.reasoning.snapshot()) if self.reasoning_length else safe(""),
            reasoning_seconds=self.thought_seconds,
        )

    def frame(self) -> str:
        """The whole article as it is now."""
        return frames.replaced(self.current())

"""Temporary conversations: in the memory of this process while a page shows them, and nowhere else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backends.adapters.messages import ChatMessage, Role
from backends.database import in_database
from chat.generation.run import Run
from chat.generation.temporary import is_forgotten_by, measured, write
from chat.generation.updates import Bus, Kind, Update
from chat.markdown import render, render_user
from chat.models import Message, MessageRole, Status
from chat.presenters.message import MessageView
from chat.presenting.endings import error_view, facts, note
from chat.presenting.message import beginning_answer, safe
from chat.realtime import frames
from chat.realtime.live import LiveAnswer
from chat.realtime.room import Watcher
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.sending import checked

if TYPE_CHECKING:
    from backends.models import CatalogueModel
    from privatechathub.accounts.models import User

#: Seconds that one whose pages are gone is kept, for a network that was away for a moment.
GRACE = 20.0
#: Temporary conversations of one person at once, and characters of one.
MOST, LONGEST = 10, 2_000_000

chats: dict[str, TemporaryChat] = {}


class TemporaryAnswer(LiveAnswer):
    """An answer whose article offers nothing that needs a row."""

    def frame(self) -> str:
        """The whole article as it is now."""
        return frames.partial(f"message-{self.view.id}", "outerHTML", article(self.current()))


@dataclass(eq=False, slots=True)
class TemporaryChat:
    """One conversation of one person. ``revision`` counts its messages and their ends."""

    id: str
    user: User
    turns: list[MessageView] = field(default_factory=list)
    pages: set[Watcher] = field(default_factory=set)
    bus: Bus = field(default_factory=Bus)
    revision: int = 0
    live: TemporaryAnswer | None = None
    run: Run | None = None
    task: asyncio.Task[None] | None = None

    # --- what the page asks -------------------------------------------------------------------------

    async def ask(self, text: str, ref: str) -> None:
        """The next question. What is wrong with it is told to the pages."""
        try:
            text = checked(text)
            self.refuse_too_much(text)
            model = await in_database(usable_model, self.user, ref)
        except Refused as refused:
            await self.complain(str(refused), text)
            return
        if self.run is not None:  # somebody was faster meanwhile
            await self.complain(_("An answer is still being written."), text)
            return
        question = self.add(question_view(self.next_id(), text))
        answer = self.add(beginning_answer(self.next_id(), str(model)))
        self.live = TemporaryAnswer(answer, Update(Kind.FULL, self.id))
        self.run = Run(uuid.uuid4(), answer.id, self.id, model.backend_id)
        html = article(question) + article(self.live.current())
        await self.send(frames.added(html) + self.state() + frames.partial("composer-error", "innerHTML", ""))
        self.task = asyncio.get_running_loop().create_task(self.answer(model))

    def refuse_too_much(self, text: str) -> None:
        """It is all in memory. Raises Refused."""
        if self.run is not None:
            raise Refused(_("An answer is still being written."))
        if sum(len(turn.text) for turn in self.turns) + len(text) > LONGEST:
            raise Refused(_("This temporary conversation is too long. Begin another one."))

    async def answer(self, model: CatalogueModel) -> None:
        """From the request to the end."""
        run = self.run
        if run is None:
            return
        await self.bus.subscribe(self.id, self.hear)
        try:
            await write(run, self.bus, model, list(self.messages()))
        finally:
            await self.bus.unsubscribe(self.id, self.hear)
            await self.end(run, model)

    def stop(self) -> None:
        """Stop what is being written; the text so far stays."""
        if self.run and self.task:
            self.run.stop_requested = True
            self.task.cancel()

    # --- what happens -------------------------------------------------------------------------------

    async def hear(self, update: Update) -> None:
        """Show what the run adds."""
        live = self.live
        if live is None:
            return
        match update.kind:
            case Kind.GREW:
                await self.send(live.grow(update))
            case Kind.PHASE:
                await self.send(live.phase(update.phase, update.progress))
            case Kind.FULL | Kind.RESTARTED:
                live.reset(update)
                await self.send(live.frame())
            case _:
                pass

    async def end(self, run: Run, model: CatalogueModel) -> None:
        """The answer is as it stays."""
        row = measured(run, model)
        text, reasoning = str(run.text), str(run.reasoning)
        self.turns[-1] = replace(
            self.turns[-1],
            status=run.status.value,
            text=text,
            html=safe(render(text)),
            reasoning_html=safe(render(reasoning)) if reasoning else SafeString(""),
            reasoning_seconds=run.thought_seconds,
            error=error_view(row),
            note=note(row, Message(text=text)),
            facts=facts(row),
        )
        self.run = self.live = self.task = None
        self.revision += 1
        last = self.turns[-1]
        await self.send(frames.partial(f"message-{last.id}", "outerHTML", article(last)) + self.state())
        if not self.pages:
            forget_later(self)

    async def complain(self, why: str, text: str) -> None:
        """Say what is wrong, and give the text back."""
        html = escape(why)
        await self.send(frames.partial("composer-error", "innerHTML", html) + given_back(text))

    async def send(self, frame: str) -> None:
        """Pass a frame to all pages."""
        for page in tuple(self.pages):
            await page.deliver(frame)

    # --- what there is ------------------------------------------------------------------------------

    def messages(self) -> Iterator[ChatMessage]:
        """The turns as a model is told them; answers that said nothing are left out."""
        for turn in self.turns[:-1]:
            if turn.text:
                yield ChatMessage.of(
                    Role.USER if turn.role == MessageRole.USER else Role.ASSISTANT, turn.text
                )

    def add(self, view: MessageView) -> MessageView:
        """One more turn."""
        self.turns.append(view)
        self.revision += 1
        return view

    def next_id(self) -> int:
        """Counted within this conversation: its page shows no other."""
        return len(self.turns) + 1

    def state(self) -> str:
        """The frame that tells the page what it shows."""
        return frames.state(self.revision, self.run is not None, "")

    def whole(self) -> str:
        """The frame that shows everything anew."""
        last = len(self.turns) - 1
        views = (
            self.live.current() if self.live and place == last else turn
            for place, turn in enumerate(self.turns)
        )
        html = "".join(map(article, views))
        return (
            frames.partial("messages", "outerHTML", f'<div id="messages" class="messages">{html}</div>')
            + self.state()
        )


def enter(chat_id: str, user: User, page: Watcher) -> TemporaryChat | None:
    """The conversation of that id, made where there is none. None for another person's, or where there are too many."""
    found = chats.get(chat_id)
    if found is None:
        mine = [chat for chat in chats.values() if chat.user.pk == user.pk]
        if len(mine) >= MOST:
            return None
        found = chats[chat_id] = TemporaryChat(chat_id, user)
    if found.user.pk != user.pk:
        return None
    found.pages.add(page)
    return found


def leave(chat: TemporaryChat, page: Watcher) -> None:
    """A page went away; with the last one the conversation does, once its answer has ended."""
    chat.pages.discard(page)
    if not chat.pages and chat.run is None:
        forget_later(chat)


def forget_later(chat: TemporaryChat) -> None:
    """Forget it unless a page comes back soon."""
    asyncio.get_running_loop().call_later(GRACE, forget, chat)


def forget(chat: TemporaryChat) -> None:
    """It is gone, where nobody looks at it and nothing is written."""
    if not chat.pages and chat.run is None and chats.get(chat.id) is chat:
        del chats[chat.id]


def usable_model(user: User, ref: str) -> CatalogueModel:
    """The model, where its server keeps nothing. Raises Refused."""
    model = find_model(user, ref)
    if not is_forgotten_by(model.backend.kind):
        raise Refused(_("This server keeps every conversation. Pick another model for a temporary one."))
    return model


def question_view(message_id: int, text: str) -> MessageView:
    """What the person wrote."""
    return MessageView(
        id=message_id,
        role=MessageRole.USER.value,
        status=Status.COMPLETED.value,
        html=safe(render_user(text)),
        text=text,
        created=timezone.now(),
    )


def article(view: MessageView) -> str:
    """One message."""
    return render_to_string("chat/fragments/temporary_message.html", {"message": view})


def given_back(text: str) -> str:
    """The frame that puts a refused text back into its field (see ``static/js/temporary.js``)."""
    return frames.partial("given-back", "innerHTML", escape(text))

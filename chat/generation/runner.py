"""One coroutine a run: rows to request, request to events, events to the run and its watchers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from functools import partial

from django.utils.translation import gettext as _

from backends.adapters.base import Adapter, Endpoint
from backends.adapters.errors import BackendError, ContextOverflow, ErrorKind
from backends.adapters.events import (
    Ask,
    AskClosed,
    Event,
    Finish,
    Phase,
    ReasoningDelta,
    Restart,
    Started,
    TextDelta,
    ToolActivity,
    ToolCall,
    Usage,
)
from backends.adapters.events import Status as BackendStatus
from backends.adapters.http import Http
from backends.adapters.messages import ChatRequest
from backends.adapters.registry import make_adapter
from backends.crypto import CannotDecrypt
from backends.database import in_database
from backends.models import Backend
from backends.service import hint_for
from chat.generation import estimate, waiting
from chat.generation.asks import Asks
from chat.generation.cutting import DoesNotFit
from chat.generation.estimate import Size
from chat.generation.fit import TOOLS
from chat.generation.numbering import numbering_of
from chat.generation.overflowing import REFUSALS, prepare_shorter, sentences, tells_window
from chat.generation.pacing import Pace, Pacer
from chat.generation.prompt import CONTINUE, BackendGone, NotAllowed, Prepared, prepare
from chat.generation.receipt import Receipt
from chat.generation.run import Run
from chat.generation.summarising import write_summary
from chat.generation.teller import Teller, sentence
from chat.generation.thinking import Thinking
from chat.generation.tool_loop import ToolLoop
from chat.generation.tools_offered import caller_of, offered
from chat.generation.updates import Kind, Update
from chat.models import Generation, Status

logger = logging.getLogger(__name__)

#: Seconds without a word from the backend after which the page says what is going on.
QUIET = 1.2

#: Error kinds of the hub itself, beside those of :class:`~backends.adapters.errors.ErrorKind`.
GONE, UNREADABLE, INTERNAL = "gone", "unreadable", "internal"

#: Gives the endpoint to use while an answer is written; starts the built-in server where needed.
OpenEndpoint = Callable[[Backend, Endpoint], AbstractAsyncContextManager[Endpoint]]


@dataclass(slots=True)
class Runner(Teller):
    """What all runs of a process share."""

    http: Http
    pacer: Pacer
    open_endpoint: OpenEndpoint

    async def execute(self, run: Run, prepared: Prepared | None = None) -> None:
        """Run to the end. The outcome is in the run; only cancellation leaves by an exception."""
        prepared = prepared or await self.prepare(run)
        if prepared is None:
            return
        run.continue_from(prepared.text, prepared.reasoning)
        run.fingerprint = prepared.fingerprint
        run.has_tool_output = prepared.has_steps
        backend = prepared.backend
        try:
            if backend.managed:
                await self.phase(run, starting(prepared.generation))
            async with self.open_endpoint(backend, prepared.endpoint) as endpoint:
                await self.phase(run, "")
                await self.answer(run, make_adapter(backend.kind, endpoint, self.http), prepared)
        except DoesNotFit as refused:
            await self.too_long(run, refused, prepared.generation)
        except BackendError as error:
            if not await self.wait_for_server(run, backend, error):
                run.fail(error.kind.value, str(error), hint_for(backend.kind, error))
        else:
            run.end(Status.STOPPED if run.was_cancelled_there else Status.COMPLETED)

    async def wait_for_server(self, run: Run, backend: Backend, error: BackendError) -> bool:
        """Give the run back to the queue where its backend is away and nothing of the answer has arrived."""
        if run.has_begun or not await in_database(
            waiting.should_wait, run.generation_id, backend, error.kind
        ):
            return False
        run.wait_for_server(waiting.next_try(run.waits))
        run.waits += 1
        return True

    async def prepare(self, run: Run) -> Prepared | None:
        """Read what the run needs; None where it had to be failed."""
        try:
            return await in_database(prepare, run.generation_id)
        except BackendGone:
            hint = _("Pick another model and try again.")
            run.fail(GONE, _("This AI server was removed or switched off."), hint)
        except NotAllowed:
            hint = _("Pick another model, or ask an administrator of this hub.")
            run.fail(ErrorKind.FORBIDDEN.value, _("You may not use this model any more."), hint)
        except CannotDecrypt:
            message = _("The stored key or password of this AI server cannot be read.")
            run.fail(UNREADABLE, message, _("An administrator has to enter it again."))
        except DoesNotFit as refused:
            generation = await in_database(Generation.objects.get, pk=run.generation_id)
            await self.too_long(run, refused, generation)
        return None

    async def too_long(self, run: Run, refused: DoesNotFit, generation: Generation) -> None:
        """The owner has to say what is left out; pages show the choice, and where the line would be."""
        message, hint = sentences(refused, generation.model_name or generation.model_id)
        run.refused = refused
        run.fail(ErrorKind.CONTEXT_OVERFLOW.value, message, hint)
        if not refused.alone:
            await self.show_line(run)

    async def show_line(self, run: Run) -> None:
        """Have pages show the thread with the line that was just drawn in it."""
        await self.bus.publish(Update(Kind.CHANGED, run.conversation_id))

    async def answer(self, run: Run, adapter: Adapter, prepared: Prepared) -> None:
        """Stream it; with less of the conversation where the server finds it too long and the owner allows that."""
        for refusals in range(REFUSALS + 1):
            try:
                await self.attempt(run, adapter, prepared)
            except ContextOverflow as error:
                if run.has_begun or run.steps or error.partial or refusals == REFUSALS:
                    raise
                prepared = await self.shorter(run, prepared, error)
            else:
                break

    async def shorter(self, run: Run, prepared: Prepared, error: ContextOverflow) -> Prepared:
        """The same with less in it. Raises DoesNotFit, or the refusal where that knows better what is wrong."""
        try:
            return await in_database(prepare_shorter, prepared, error)
        except DoesNotFit as refused:
            if not refused.alone:
                await self.show_line(run)
            if refused.alone or not tells_window(prepared, error):
                raise error from None
            raise

    async def attempt(self, run: Run, adapter: Adapter, prepared: Prepared) -> None:
        """Stream it as prepared, in rounds where there are tools to call."""
        caller = caller_of(prepared)
        tools = await offered(prepared, caller) if prepared.wants_tools else {}
        size = estimate.of_tools([tool.spec for tool in tools.values()])
        prepared = await self.with_room_for(run, adapter, prepared, size)
        run.fit = prepared.fit.having(TOOLS, size)
        run.fingerprint = prepared.fingerprint
        run.receipt = receipt_of(prepared)
        run.begin_round(apart=prepared.request.messages[-1].text != CONTINUE)
        if tools:
            caller = replace(caller, numbering=await numbering_of(prepared))
            await ToolLoop(self, run, adapter, caller, tools).go(prepared.request)
        else:
            await self.stream(run, adapter, prepared.request)

    async def with_room_for(self, run: Run, adapter: Adapter, prepared: Prepared, tools: Size) -> Prepared:
        """The same with room for what was not known when it was prepared: tools, the summary of what is left out."""
        window, tokens = prepared.fit.window.tokens, prepared.fit.having(TOOLS, tools).tokens
        if window and tokens > window - prepared.fit.reserve and tools != prepared.demand.tools:
            demand = replace(prepared.demand, tools=tools)
            prepared = await in_database(prepare, run.generation_id, demand)
        if prepared.cut and prepared.cut.is_new:
            await self.show_line(run)
        if prepared.cut is None or not prepared.cut.awaits_summary:
            return prepared
        say = partial(self.phase, run, _("Summarising what no longer fits…"))
        await write_summary(adapter, prepared.request, prepared.fit, prepared.cut, say)
        await self.phase(run, "")
        await self.show_line(run)
        return await in_database(prepare, run.generation_id, prepared.demand)

    async def stream(self, run: Run, adapter: Adapter, request: ChatRequest) -> None:
        """Take the adapter's events until it is done, no faster than the pace."""
        run.take_receipt(request)
        run.think = Thinking.of(adapter.endpoint)
        pace = Pace(self.pacer)
        quiet = asyncio.create_task(self.explain_silence(run, adapter, request.model))
        asks = run.asks = Asks(run.generation_id, adapter, partial(self.tell_asks, run))
        try:
            async with aclosing(adapter.batches(request)) as batches:
                async for events in batches:
                    watched = self.bus.watched(run.conversation_id)
                    began = time.perf_counter()
                    await self.take(run, events)
                    if watched:
                        self.pacer.measured(time.perf_counter() - began)
                    if run.first_piece_at is not None and (wait := pace.pause(watched)):
                        await asyncio.sleep(wait)
        except asyncio.CancelledError:
            await abort_quietly(adapter, request)
            if asks.failure is None or run.stop_requested:
                raise
            asks.take_back_cancellation()
            raise asks.failure from None
        finally:
            pace.end()
            quiet.cancel()
            run.asks = None
            await asks.close()

    async def take(self, run: Run, events: list[Event]) -> None:
        """Apply one batch and tell the watchers at once what it added."""
        text: list[str] = []
        reasoning: list[str] = []
        for event in run.think.apart(run, events):
            match event:
                case TextDelta():
                    text.append(event.text)
                case ReasoningDelta():
                    reasoning.append(event.text)
                case Restart():
                    await self.grow(run, text, reasoning)
                    run.restart(event.keep_chars)
                    await self.tell_all(run, Kind.RESTARTED)
                case BackendStatus():
                    note_retry(run, event)
                    await self.phase(run, sentence(event), event.progress)
                case ToolActivity():
                    await self.activity(run, event)
                case ToolCall():
                    run.calls.append(event)
                case Ask() if run.asks:
                    await self.arrived(run)
                    run.asked = True
                    await run.asks.ask(event)
                case AskClosed() if run.asks:
                    await run.asks.answered_elsewhere(event.id)
                case Started():
                    run.started = event
                case Usage():
                    run.take_usage(event)
                case Finish():
                    run.finish = event
                case _:
                    pass
        await self.grow(run, text, reasoning)

    async def explain_silence(self, run: Run, adapter: Adapter, model: str) -> None:
        """After a moment without a word ask the server what it is doing, and say so."""
        await asyncio.sleep(QUIET)
        if run.first_piece_at is not None or run.phase or run.activities:
            return
        try:
            phase = await adapter.waiting_phase(model)
        except BackendError:
            phase = None
        if run.first_piece_at is None and not run.phase:
            await self.phase(
                run, sentence(BackendStatus(phase)) if phase else _("Waiting for the AI server…")
            )


def starting(generation: Generation) -> str:
    """What is said while the built-in model starts, also where nobody may know yet that it is this one."""
    return _("Starting the model…") if generation.alias else _("Starting the built-in model…")


def receipt_of(prepared: Prepared) -> Receipt:
    """What the run keeps of its request."""
    generation = prepared.generation
    return Receipt(generation.message.conversation.owner_id, generation.receipt)


def note_retry(run: Run, event: BackendStatus) -> None:
    """A server that has to be asked once more: without an option, or without what it had forgotten."""
    if run.receipt and event.phase is Phase.RETRYING and event.detail:
        run.receipt.note_retry(event.detail)


async def abort_quietly(adapter: Adapter, request: ChatRequest) -> None:
    """Tell servers that go on by themselves to stop; the person has already moved on."""
    try:
        async with asyncio.timeout(3):
            await adapter.abort(request)
    except (BackendError, TimeoutError) as error:
        logger.info("abort: %s", error)

"""Answers of which nothing is kept: no row, no receipt, no word in a log.

They run through the same adapters, tellers and pace as others, with a bus of their own, so that not even a
shared channel layer hears them. Tools and requests for permission, which are rows, are not offered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from django.utils.translation import gettext as _

from backends.adapters.base import Adapter, Endpoint
from backends.adapters.errors import BackendError
from backends.adapters.messages import ChatMessage, ChatRequest
from backends.adapters.registry import KINDS, make_adapter
from backends.crypto import CannotDecrypt
from backends.database import in_database
from backends.models import CatalogueModel
from backends.service import hint_for
from chat.generation import queue, runtime
from chat.generation.allocated import window_of, with_window
from chat.generation.pacing import Pace
from chat.generation.reach import known_capabilities
from chat.generation.run import Run
from chat.generation.runner import INTERNAL, UNREADABLE, Runner, abort_quietly
from chat.generation.sampling import options_for, sampling_options
from chat.generation.updates import Bus
from chat.models import Conversation, Generation, Status

logger = logging.getLogger(__name__)

#: Seconds between two looks whether a slot is free.
LOOK_AGAIN = 0.5
#: What asks a server not to keep the conversation; those that know the option heed it.
FORGET = {"store": "off"}


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of which model."""

    model: CatalogueModel
    endpoint: Endpoint
    request: ChatRequest


def is_forgotten_by(kind: str) -> bool:
    """Whether a server of that kind keeps nothing of a conversation by itself."""
    return not KINDS[kind].keeps


def task_for(model: CatalogueModel, messages: Sequence[ChatMessage]) -> Task:
    """The request. From the database. Raises CannotDecrypt."""
    endpoint = model.backend.endpoint()
    options = sampling_options(options_for(Conversation(), model))
    window = window_of(model.backend, model, options.context_length)
    request = ChatRequest(
        model=model.model_id,
        messages=tuple(messages),
        sampling=with_window(options, model.backend, window),
        capabilities=known_capabilities(model),
    )
    return Task(model, replace(endpoint, options={**endpoint.options, **FORGET}), request)


async def write(run: Run, bus: Bus, model: CatalogueModel, messages: Sequence[ChatMessage]) -> None:
    """Write the answer; the outcome is in the run. Only a cancellation nobody asked for leaves by an exception."""
    hub = runtime.current()
    if hub is None:
        run.fail(INTERNAL, _("The hub is being restarted."), _("Try again in a moment."))
        return
    shared = hub.supervisor.runner
    runner = Runner(bus, shared.http, shared.pacer, shared.open_endpoint)
    try:
        task = await in_database(task_for, model, messages)
        async with slot(runner, run, model.backend_id):
            if model.backend.managed:
                await runner.phase(run, _("Starting the built-in model…"))
            async with runner.open_endpoint(model.backend, task.endpoint) as endpoint:
                await runner.phase(run, "")
                await stream(
                    runner, run, make_adapter(model.backend.kind, endpoint, runner.http), task.request
                )
    except BackendError as error:
        run.fail(error.kind.value, str(error), hint_for(model.backend.kind, error))
    except CannotDecrypt:
        message = _("The stored key or password of this AI server cannot be read.")
        run.fail(UNREADABLE, message, _("An administrator has to enter it again."))
    except asyncio.CancelledError:
        run.end(Status.STOPPED)
        if not run.stop_requested:
            raise
    except Exception as error:  # its traceback could show what was said
        logger.error("a temporary answer failed: %s", type(error).__name__)
        run.fail(INTERNAL, _("The hub made a mistake while answering."), _("Try again."))
    else:
        run.end(Status.COMPLETED)


async def stream(runner: Runner, run: Run, adapter: Adapter, request: ChatRequest) -> None:
    """Take the adapter's events until it is done, no faster than the pace."""
    pace = Pace(runner.pacer)
    quiet = asyncio.create_task(runner.explain_silence(run, adapter, request.model))
    try:
        async with aclosing(adapter.batches(request)) as batches:
            async for events in batches:
                await runner.take(run, events)
                if run.first_piece_at is not None and (wait := pace.pause(watched=True)):
                    await asyncio.sleep(wait)
    except asyncio.CancelledError:
        await abort_quietly(adapter, request)
        raise
    finally:
        pace.end()
        quiet.cancel()


@asynccontextmanager
async def slot(runner: Runner, run: Run, backend_id: int) -> AsyncIterator[None]:
    """One of the backend's slots, counted in memory beside the rows of other answers."""
    while not await claimed(backend_id):
        await runner.phase(run, _("Waiting for its turn"))
        await asyncio.sleep(LOOK_AGAIN)
    try:
        yield
    finally:
        queue.release_unrecorded(backend_id)
        if hub := runtime.current():
            hub.supervisor.queue_changed_soon(backend_id)


async def claimed(backend_id: int) -> bool:
    """Whether a slot was to be had. Whoever is stopped while the database is asked gives back what they got."""
    claim = asyncio.ensure_future(in_database(queue.claim_unrecorded, backend_id))
    try:
        return await asyncio.shield(claim)
    except asyncio.CancelledError:
        claim.add_done_callback(partial(give_back, backend_id))
        raise


def give_back(backend_id: int, claim: asyncio.Future[bool]) -> None:
    """Nobody wants the slot any more, if that was one."""
    if not claim.cancelled() and claim.exception() is None and claim.result():
        queue.release_unrecorded(backend_id)


def measured(run: Run, model: CatalogueModel) -> Generation:
    """What is known of the run, in the words of a row that is never stored."""
    usage = run.usage
    return Generation(
        status=run.status,
        backend_name=model.backend.name,
        model_id=model.model_id,
        model_name=str(model),
        finish_reason=run.finish_reason,
        error_kind=run.error_kind,
        error_message=run.error_message,
        error_hint=run.error_hint,
        output_tokens=usage.output_tokens if usage else None,
        tokens_per_second=run.tokens_per_second,
        ttft_ms=run.ttft_ms,
    )

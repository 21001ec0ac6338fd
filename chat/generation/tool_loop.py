"""Rounds of a model and its tools, until the answer is text.

Each round is one request. The model's calls run here, their results go back to it, and the round is
kept as a row before the next one begins, so that a crash costs no more than the round in which it happens.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from functools import partial
from typing import Protocol

from django.db import Error

from backends.adapters.base import Adapter
from backends.adapters.errors import BackendError
from backends.adapters.events import ToolActivity, ToolCall, ToolState
from backends.adapters.messages import ChatRequest
from backends.database import in_database
from chat.generation.asks import Asks
from chat.generation.consent import Answers, Consents, standing
from chat.generation.recorder import save_progress
from chat.generation.run import Run, ToolsEnd
from chat.generation.steps import step_row, with_step, with_tools, without_tools
from chat.generation.tool_calls import Calls, signature
from chat.models import Step
from chat.tools.base import Caller, Tool, ToolResult
from chat.tools.support import remember_refusal

logger = logging.getLogger(__name__)

#: Rounds with calls in one run.
STEPS = 20
#: Seconds after which no further round with calls begins.
TIME_LIMIT = 900.0
#: Rounds that bring nothing but what earlier ones brought, after which the calls are ended.
REPEATS = 2

_ABOUT_TOOLS = re.compile(r"\btools?\b", re.IGNORECASE)


class Speaker(Protocol):
    """What the loop needs of the runner."""

    async def stream(self, run: Run, adapter: Adapter, request: ChatRequest) -> None: ...

    async def activity(self, run: Run, event: ToolActivity) -> None: ...

    async def tell_asks(self, run: Run) -> None: ...


class ToolLoop:
    """One run with tools."""

    def __init__(
        self, speaker: Speaker, run: Run, adapter: Adapter, caller: Caller, tools: dict[str, Tool]
    ) -> None:
        self._speaker = speaker
        self._run = run
        self._adapter = adapter
        self._caller = caller
        self._tools = tools
        self._seen: set[str] = set()
        self._repeats = 0

    async def go(self, request: ChatRequest) -> None:
        """Until text, the step limit, or the time limit. Raises BackendError; stopping cancels it."""
        until = asyncio.get_running_loop().time() + TIME_LIMIT
        request = with_tools(request, [tool.spec for tool in self._tools.values()])
        while calls := await self._round(request):
            results = await self._results(calls)
            request = with_step(request, await self._keep(calls, results))
            self._run.begin_round()
            late = asyncio.get_running_loop().time() > until
            if end := self._end(calls, results, late=late):
                self._run.tools_end = end
                break
        else:
            return
        await self._speaker.stream(self._run, self._adapter, without_tools_on_offer(request))

    async def _round(self, request: ChatRequest) -> list[ToolCall]:
        """What the model calls; nothing where it is done."""
        try:
            await self._speaker.stream(self._run, self._adapter, request)
        except BackendError as error:
            if not is_about_tools(error):
                raise
            self._run.tools_end = ToolsEnd.REFUSED
            await in_database(remember_refusal, self._run.backend_id, request.model)
            await self._speaker.stream(self._run, self._adapter, without_tools(request))
            return []
        return [call for call in self._run.calls if call.name]

    async def _results(self, calls: list[ToolCall]) -> list[ToolResult]:
        run, speaker = self._run, self._speaker
        for call in calls:
            shown = call.arguments if call.raw is None else {"": call.raw}
            title = str(tool.label) if (tool := self._tools.get(call.name)) else None
            pending = ToolActivity(call.id, call.name, ToolState.PENDING, input=shown, title=title)
            await speaker.activity(run, pending)
        await self._save()
        answers = Answers()
        asks = run.asks = Asks(run.generation_id, answers, partial(speaker.tell_asks, run))
        run.asked = run.asked or any(tool.reach for tool in self._tools.values())
        try:
            consents = Consents(self._caller, asks, answers, *await standing(self._caller))
            show = partial(speaker.activity, run)
            after = run.has_tool_output
            return await Calls(run, self._caller, self._tools, consents, show, after_output=after).results(
                calls
            )
        finally:
            run.asks = None
            await asks.close()

    async def _keep(self, calls: list[ToolCall], results: list[ToolResult]) -> Step:
        step = step_row(self._run, calls, results)
        self._run.steps.append(step)
        self._run.has_tool_output = True
        await self._save()
        return step

    async def _save(self) -> None:
        try:
            await in_database(save_progress, [self._run])
        except Error:  # it is tried again with everything else that grows
            logger.exception("generation %s: a round could not be saved", self._run.generation_id)
            self._run.save_again()

    def _end(self, calls: list[ToolCall], results: list[ToolResult], *, late: bool) -> ToolsEnd | None:
        """Why there are no further calls; None where there may be."""
        told = {signature(call, result) for call, result in zip(calls, results, strict=True)}
        self._repeats = self._repeats + 1 if told <= self._seen else 0
        self._seen |= told
        if self._repeats >= REPEATS:
            return ToolsEnd.REPEATED
        if late:
            return ToolsEnd.TIME
        return ToolsEnd.STEPS if len(self._run.steps) >= STEPS else None


def is_about_tools(error: BackendError) -> bool:
    """Whether a server refuses the request for the tools in it, before it has said anything."""
    refused = error.status is not None and 400 <= error.status < 600
    return refused and not error.partial and bool(_ABOUT_TOOLS.search(error.message))


def without_tools_on_offer(request: ChatRequest) -> ChatRequest:
    """The same with everything that was found out, and nothing more to call."""
    return replace(request, tools=())

"""Running the calls of one round: checked, permitted, bounded in time and size, and never fatal."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from backends.adapters.events import ToolActivity, ToolCall, ToolState
from chat.generation.consent import REFUSED, Consents
from chat.generation.run import Run
from chat.models import Consent
from chat.tools.base import Caller, Source, Tool, ToolError, ToolResult
from chat.tools.checking import wrong_with

logger = logging.getLogger(__name__)

#: Calls of one round that run at the same time.
AT_ONCE = 4
#: Calls of one round that are run; a model in a loop must not keep the hub busy.
MOST = 32
#: Characters of a result that a model is sent.
LONGEST = 32_000
#: Seconds that a call may take to end when it is cancelled.
GOODBYE = 0.5

Show = Callable[[ToolActivity], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the model is sent, and what the person reads where that is something else."""

    result: ToolResult
    sentence: str = ""


class Calls:
    """The calls of one round. ``after_output``: the model has read what tools gave back."""

    def __init__(
        self,
        run: Run,
        caller: Caller,
        tools: Mapping[str, Tool],
        consents: Consents,
        show: Show,
        *,
        after_output: bool,
    ) -> None:
        self._run = run
        self._caller = caller
        self._tools = tools
        self._consents = consents
        self._show = show
        self._after_output = after_output
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def results(self, calls: Sequence[ToolCall]) -> list[ToolResult]:
        """One for each call, in their order."""
        tasks = [asyncio.create_task(self._call(at, call)) for at, call in enumerate(calls)]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=GOODBYE)

    async def _call(self, at: int, call: ToolCall) -> ToolResult:
        outcome = await self._outcome(call) if at < MOST else too_many()
        result = outcome.result
        sources = [source_of(source) for source in result.sources]
        self._run.activities.note(call.id, sources=sources, images=len(result.images))
        await self._show(
            ToolActivity(
                call.id,
                call.name,
                ToolState.ERROR if result.is_error else ToolState.DONE,
                output=outcome.sentence or result.text,
            )
        )
        return result

    async def _outcome(self, call: ToolCall) -> Outcome:
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools)
            return failed(
                f"There is no tool {call.name!r}. There are: {known}.",
                _("The model called a tool that does not exist or is not switched on."),
            )
        if call.raw is not None:
            return failed(
                "The arguments are not valid JSON.", _("The model wrote arguments that are no JSON.")
            )
        if wrong := wrong_with(call.arguments, tool.parameters):
            sentence = _("The model gave wrong arguments: %(wrong)s") % {"wrong": wrong}
            return failed(f"The arguments do not fit the tool's schema: {wrong}", sentence)
        consent = await self._consents.of(tool, call, after_output=self._after_output)
        self._run.activities.note(call.id, consent=consent)
        if consent in REFUSED:
            return refused(consent)
        async with self._gate:
            await self._show(ToolActivity(call.id, call.name, ToolState.RUNNING))
            return await run_tool(tool, call, self._caller)


async def run_tool(tool: Tool, call: ToolCall, caller: Caller) -> Outcome:
    """Let the tool work, for as long as it may."""
    try:
        async with asyncio.timeout(tool.timeout):
            result = await tool.run(call.arguments, caller)
    except TimeoutError:
        seconds = round(tool.timeout)
        return failed(
            f"The tool did not answer within {seconds} seconds.",
            _("The tool did not answer within %(seconds)d seconds.") % {"seconds": seconds},
        )
    except ToolError as error:
        return failed(str(error) or "The tool failed.", str(error))
    except Exception:
        logger.exception("generation %s: the tool %s failed", caller.generation_id, tool.name)
        return failed("The tool failed.", _("The hub made a mistake in this tool; its log has the details."))
    return Outcome(bounded(result))


def bounded(result: ToolResult) -> ToolResult:
    """No longer than a model is sent."""
    if len(result.text) <= LONGEST:
        return result
    return replace(result, text=f"{result.text[:LONGEST]}\n[cut: {len(result.text)} characters in all]")


def failed(text: str, sentence: str) -> Outcome:
    """An error for the model, and a sentence for the person."""
    return Outcome(ToolResult(text[:LONGEST], is_error=True), sentence)


def too_many() -> Outcome:
    """More calls at once than are run."""
    return failed("Too many calls at once; this one was not run.", _("Too many calls at once."))


def refused(consent: Consent) -> Outcome:
    """Somebody or a rule does not want the call."""
    if consent is Consent.EXPIRED:
        return failed("Nobody allowed this call in time.", _("Nobody answered in time."))
    if consent is Consent.FORBIDDEN:
        return failed("This tool is not allowed here.", _("A rule denies this tool."))
    return failed("The person denied this call. Do not make it again.", _("You denied this."))


def source_of(source: Source) -> dict[str, Any]:
    """A page that the result rests on, as it is kept."""
    found = {"url": source.url, "title": source.title, "site": source.site}
    return found | ({"number": source.number} if source.number else {})


def signature(call: ToolCall, result: ToolResult) -> str:
    """The same for a call that is repeated and gives the same again."""
    arguments = call.raw if call.raw is not None else json.dumps(call.arguments, sort_keys=True, default=str)
    return "\0".join((call.name, arguments, result.text))

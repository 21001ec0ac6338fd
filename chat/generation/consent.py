"""Whether a call may run: by rules, or by the person's word."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from backends.adapters.events import Ask as AskEvent
from backends.adapters.events import AskAnswer, ToolCall
from backends.database import in_database
from chat.generation.asks import Asks
from chat.models import AskState, Consent, ToolPolicy, ToolRule, Verdict
from chat.models.tool_policy import Policies
from chat.tools.base import Caller, Reach, Tool

#: What such a tool does stays, or nobody knows what it does.
EFFECTS = frozenset({Reach.CHANGES, Reach.UNKNOWN})

REFUSED = frozenset({Consent.FORBIDDEN, Consent.DENIED, Consent.EXPIRED})

_ANSWERS = {
    AskState.ONCE: Consent.ONCE,
    AskState.HERE: Consent.HERE,
    AskState.ALWAYS: Consent.ALWAYS,
    AskState.EXPIRED: Consent.EXPIRED,
}


def decide(tool: Tool, policy: Verdict | None, rule: Verdict | None, *, after_output: bool) -> Verdict:
    """An administrator's no comes first, then the person's own word, then what administrators say, then the tool.

    ``after_output``: the model has read what tools gave back, which may have told it to make this call. A tool
    with effects then asks whatever the rules allow.
    """
    if Verdict.DENY in (policy, rule):
        return Verdict.DENY
    if after_output and tool.reach & EFFECTS:
        return Verdict.ASK
    return rule or policy or (Verdict.ASK if tool.reach else Verdict.ALLOW)


class Answers:
    """Takes what the person says to the cards of a run, and hands it to the calls that wait for it."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Consent]] = {}

    def wait_for(self, call_id: str) -> asyncio.Future[Consent]:
        """Is done once the person has answered."""
        self._waiting[call_id] = asyncio.get_running_loop().create_future()
        return self._waiting[call_id]

    async def reply(self, ask: AskEvent, answer: AskAnswer, message: str = "") -> None:
        """The same as an adapter's: here it is the hub that asked."""
        state = answer[0][0] if isinstance(answer, tuple) else ""
        waiting = self._waiting.pop(ask.id, None)
        if waiting and not waiting.done():
            waiting.set_result(_ANSWERS.get(AskState(state), Consent.DENIED) if state else Consent.DENIED)


class Consents:
    """The permissions of the calls of one round."""

    def __init__(
        self, caller: Caller, asks: Asks, answers: Answers, policies: Policies, rules: Mapping[str, Verdict]
    ) -> None:
        self._caller = caller
        self._asks = asks
        self._answers = answers
        self._policies = policies
        self._rules = rules

    async def of(self, tool: Tool, call: ToolCall, *, after_output: bool) -> Consent:
        """Whether this call may run; asks where rules say so, and waits."""
        policy, rule = self._policies.verdict(tool.name), self._rules.get(tool.name)
        verdict = decide(tool, policy, rule, after_output=after_output)
        if verdict is Verdict.DENY:
            return Consent.FORBIDDEN
        if verdict is Verdict.ALLOW:
            return Consent.RULE if rule or policy else Consent.HARMLESS
        answer = self._answers.wait_for(call.id)
        await self._asks.ask(AskEvent("tool", call.id, payload(tool, call, after_output=after_output)))
        return await answer


def payload(tool: Tool, call: ToolCall, *, after_output: bool) -> dict[str, Any]:
    """What the card shows."""
    return {
        "permission": tool.name,
        "title": str(tool.label),
        "metadata": dict(call.arguments),
        "once_only": after_output and bool(tool.reach & EFFECTS),
    }


async def standing(caller: Caller) -> tuple[Policies, dict[str, Verdict]]:
    """The rules as they are now: an answer may take long."""

    def read() -> tuple[Policies, dict[str, Verdict]]:
        return ToolPolicy.of(caller.user_id), ToolRule.of(caller.user_id, caller.conversation_id)

    return await in_database(read)

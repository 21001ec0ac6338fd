"""The person's word on what a server asks while it answers."""

from __future__ import annotations

from backends.database import write_transaction
from chat.generation import ask_rows, runtime
from chat.models import Ask, AskState, ToolRule, Verdict


def answer_ask(ask: Ask, state: AskState, words: list[list[str]] | None = None) -> bool:
    """Keep the answer and have it handed over. False where there was one already, which stays."""
    with write_transaction():
        if not ask_rows.settle(Ask.objects.filter(pk=ask.pk), state, words):
            return False
        remember(ask, state)
    if running := runtime.current():
        running.answered_soon(ask.generation_id)
    return True


def may_be(ask: Ask, state: AskState) -> bool:
    """Whether this is an answer to what was asked."""
    if state is AskState.DENIED:
        return True
    if ask.kind == "question":
        return state is AskState.ANSWERED
    if ask.kind == "tool" and not ask.payload.get("once_only"):
        return state in (AskState.ONCE, AskState.HERE, AskState.ALWAYS)
    return state is AskState.ONCE or (state is AskState.ALWAYS and ask.kind != "tool")


def remember(ask: Ask, state: AskState) -> None:
    """The person's word on one of the hub's tools that holds from now on, here or everywhere."""
    if ask.kind != "tool" or state not in (AskState.HERE, AskState.ALWAYS):
        return
    conversation = ask.generation.message.conversation
    here = conversation.pk if state is AskState.HERE else None
    ToolRule.put(conversation.owner_id, here, ask.payload["permission"], Verdict.ALLOW)

"""LibreChat's export of one conversation: a list with ``parentMessageId``, or a tree of ``children``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chat.models import MessageRole
from chat.transfer import values
from chat.transfer.formats.building import built, call, finished_run
from chat.transfer.portable import LeftOut, Talk, Turn

SOURCE = "librechat"
PARAMETERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "topP": "top_p",
    "topK": "top_k",
    "max_tokens": "max_tokens",
    "maxOutputTokens": "max_tokens",
    "stop": "stop",
}


def recognises(item: Mapping[str, Any]) -> bool:
    """It has the id of a conversation and messages in one of two shapes."""
    messages = item.get("messagesTree") or item.get("messages")
    return "conversationId" in item and isinstance(messages, list)


def read(item: Mapping[str, Any]) -> Talk:
    """A conversation. Raises Unreadable."""
    left_out: Counter[LeftOut] = Counter()
    told = values.mapping(item.get("options"))
    model = values.name(told.get("model"))
    roots = values.objects(item.get("messagesTree") or item.get("messages"))
    linear = item.get("branches") is False or not any("parentMessageId" in row for row in roots)
    rows = list(_flat(roots))
    turns: list[Turn] = []
    for parent, row in rows:
        before = turns[-1].id if linear and turns and parent is None else parent
        turns.append(_turn(row, before, model, left_out))
    return built(
        source=SOURCE,
        source_id=str(item.get("conversationId") or ""),
        title=item.get("title"),
        turns=turns,
        left_out=left_out,
        system_prompt=values.text(told.get("promptPrefix") or told.get("system"), 200_000),
        options=values.options(values.renamed(told, PARAMETERS)),
        model_id=model,
        created_at=values.moment(item.get("createdAt")),
        updated_at=values.moment(item.get("updatedAt")),
    )


def _flat(roots: list[dict[str, Any]]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """All messages, each with the id of the one before it, a parent before its children."""
    waiting: list[tuple[str | None, dict[str, Any]]] = [(None, row) for row in reversed(roots)]
    while waiting:
        above, row = waiting.pop()
        named = row.get("parentMessageId")
        yield above or (named if isinstance(named, str) else None), row
        mine = values.name(row.get("messageId"), 100)
        waiting += [(mine, child) for child in reversed(values.objects(row.get("children")))]


def _turn(row: Mapping[str, Any], parent: str | None, model: str, left_out: Counter[LeftOut]) -> Turn:
    mine = row.get("isCreatedByUser") is True or row.get("sender") == "User"
    created = values.moment(row.get("createdAt"))
    parts = values.objects(row.get("content"))
    text = "\n\n".join(filter(None, (_said(part, "text") for part in parts))) or values.text(row.get("text"))
    calls = [values.mapping(part.get("tool_call")) for part in parts if part.get("type") == "tool_call"]
    left_out[LeftOut.FILE] += len(values.sequence(row.get("files")))
    left_out[LeftOut.FILE] += sum(part.get("type") == "image_file" for part in parts)
    given = [call(made.get("name"), made.get("args"), made.get("output"), created) for made in calls]
    name = values.name(row.get("model")) or model
    return Turn(
        id=values.name(row.get("messageId"), 100) or f"after {parent}",
        parent=parent,
        role=MessageRole.USER if mine else MessageRole.ASSISTANT,
        text=values.text(text),
        reasoning="\n\n".join(filter(None, (_said(part, "think") for part in parts))),
        created_at=created,
        runs=() if mine else finished_run("LibreChat", name, created, given),
    )


def _said(part: Mapping[str, Any], kind: str) -> str:
    if part.get("type") != kind:
        return ""
    said = part.get(kind)
    return values.text(said.get("value") if isinstance(said, dict) else said)

"""Claude's export: ``chat_messages`` in order, newer ones with ``parent_message_uuid``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from chat.models import MessageRole
from chat.transfer import values
from chat.transfer.formats.building import built, call, finished_run
from chat.transfer.portable import LeftOut, Talk, Turn

SOURCE = "claude"


def recognises(item: Mapping[str, Any]) -> bool:
    """It has an id and messages of a chat."""
    return "uuid" in item and isinstance(item.get("chat_messages"), list)


def read(item: Mapping[str, Any]) -> Talk:
    """A conversation. Raises Unreadable."""
    left_out: Counter[LeftOut] = Counter()
    turns: list[Turn] = []
    model = values.name(item.get("model"))
    for message in values.objects(item.get("chat_messages")):
        turns.append(_turn(message, turns[-1].id if turns else None, model, left_out))
    head = item.get("current_leaf_message_uuid")
    return built(
        source=SOURCE,
        source_id=str(item["uuid"]),
        title=item.get("name"),
        turns=turns,
        head=head if isinstance(head, str) else None,
        left_out=left_out,
        model_id=model,
        created_at=values.moment(item.get("created_at")),
        updated_at=values.moment(item.get("updated_at")),
    )


def _turn(message: Mapping[str, Any], before: str | None, model: str, left_out: Counter[LeftOut]) -> Turn:
    created = values.moment(message.get("created_at"))
    mine = message.get("sender") == "human"
    parts = values.objects(message.get("content"))
    parent = message.get("parent_message_uuid")
    said = [values.text(part.get("text")) for part in parts if part.get("type") == "text"]
    texts = list(filter(None, said)) or [values.text(message.get("text"))]
    if mine:
        texts += _attached(message, left_out)
    return Turn(
        id=values.name(message.get("uuid"), 100) or f"after {before}",
        parent=parent if isinstance(parent, str) else before,
        role=MessageRole.USER if mine else MessageRole.ASSISTANT,
        text=values.text("\n\n".join(filter(None, texts))),
        reasoning="\n\n".join(filter(None, (values.text(part.get("thinking")) for part in parts))),
        created_at=created,
        runs=() if mine else finished_run("Claude", model, created, _calls(parts, created)),
    )


def _attached(message: Mapping[str, Any], left_out: Counter[LeftOut]) -> list[str]:
    """The texts of attached documents, as fenced blocks; other files are counted as left out."""
    found = []
    for attached in values.objects(message.get("attachments")):
        if content := values.text(attached.get("extracted_content")):
            found.append(f"{values.name(attached.get('file_name'))}\n\n````\n{content}\n````")
        else:
            left_out[LeftOut.FILE] += 1
    left_out[LeftOut.FILE] += len(values.sequence(message.get("files")))
    return found


def _calls(parts: list[dict[str, Any]], created: Any) -> list[dict[str, Any]]:
    """Tool calls, each with the result that follows it."""
    made: list[tuple[dict[str, Any], str]] = []
    for part in parts:
        if part.get("type") == "tool_use":
            made.append((part, ""))
        elif part.get("type") == "tool_result" and made:
            made[-1] = (made[-1][0], _result(part))
    return [call(part.get("name"), part.get("input"), result, created) for part, result in made]


def _result(part: Mapping[str, Any]) -> str:
    content = part.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(values.text(piece.get("text")) for piece in values.objects(content))

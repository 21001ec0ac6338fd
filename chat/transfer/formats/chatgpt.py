"""ChatGPT's export: ``mapping`` holds the nodes of a tree by id, ``current_node`` ends the path last seen.

Until 2025 one file, ``conversations.json``, with a ``model_slug`` at each answer; later several,
``conversations-000.json`` and so on, with ``default_model_slug`` at the conversation, hidden nodes for
the person's profile, and often without ``children``. Thoughts are nodes of their own before the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chat.models import MessageRole
from chat.transfer import values
from chat.transfer.formats.building import built, finished_run
from chat.transfer.portable import LeftOut, Talk, Turn

SOURCE = "chatgpt"
#: Hidden nodes before an answer in which its thoughts are looked for.
MOST_STEPS = 100


def recognises(item: Mapping[str, Any]) -> bool:
    """It is a tree of nodes; one that came without its tree is known by what else it has."""
    return isinstance(item.get("mapping"), dict) or (
        "default_model_slug" in item and "conversation_id" in item
    )


@dataclass(slots=True)
class _Reading:
    """What is known of one conversation so far."""

    model: str
    left_out: Counter[LeftOut]
    turns: list[Turn]
    hidden: set[str]
    thoughts: dict[str, str]


def read(item: Mapping[str, Any]) -> Talk:
    """A conversation. Raises Unreadable."""
    nodes = {key: node for key, node in values.mapping(item.get("mapping")).items() if isinstance(node, dict)}
    parents = _parents(nodes)
    reading = _Reading(values.name(item.get("default_model_slug")), Counter(), [], set(), {})
    for key, node in nodes.items():
        _read_node(reading, key, parents.get(key), values.mapping(node.get("message")))
    head = item.get("current_node")
    turns = [_with_thoughts(turn, reading, parents) for turn in reading.turns]
    turns.sort(key=lambda turn: turn.created_at.timestamp() if turn.created_at else 0.0)
    return built(
        source=SOURCE,
        source_id=str(item.get("conversation_id") or item.get("id") or ""),
        title=item.get("title"),
        turns=turns,
        head=head if isinstance(head, str) else None,
        hidden=reading.hidden,
        parents=parents,
        left_out=reading.left_out,
        model_id=reading.model,
        archived_at=values.since(item.get("is_archived"), item.get("update_time")),
        created_at=values.moment(item.get("create_time")),
        updated_at=values.moment(item.get("update_time")),
    )


def _parents(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """Node -> the one before it, from either end of the link, whichever the file has."""
    found: dict[str, str | None] = {}
    for key, node in nodes.items():
        parent = node.get("parent")
        if isinstance(parent, str):
            found[key] = parent
        for child in values.sequence(node.get("children")):
            if isinstance(child, str):
                found.setdefault(child, key)
    return {key: found.get(key) for key in nodes}


def _read_node(reading: _Reading, key: str, parent: str | None, message: Mapping[str, Any]) -> None:
    role = values.mapping(message.get("author")).get("role")
    content, told = values.mapping(message.get("content")), values.mapping(message.get("metadata"))
    kind = content.get("content_type")
    if kind == "thoughts":
        reading.thoughts[key] = _thoughts(content)
    if role == "system" or kind in ("thoughts", "reasoning_recap") or not message:
        reading.hidden.add(key)
        return
    if kind in ("user_editable_context", "model_editable_context") or (
        told.get("is_visually_hidden_from_conversation") is True
    ):
        reading.left_out[LeftOut.HIDDEN] += 1
        reading.hidden.add(key)
        return
    if role == "tool" or message.get("recipient", "all") != "all":
        reading.left_out[LeftOut.HIDDEN] += 1
        reading.hidden.add(key)
        return
    mine = role == "user"
    created = values.moment(message.get("create_time"))
    model = values.name(told.get("model_slug")) or reading.model
    reading.model = reading.model or ("" if mine else model)
    reading.turns.append(
        Turn(
            id=key,
            parent=parent,
            role=MessageRole.USER if mine else MessageRole.ASSISTANT,
            text=_text(content, reading.left_out),
            created_at=created,
            runs=() if mine else finished_run("ChatGPT", model, created),
        )
    )


def _text(content: Mapping[str, Any], left_out: Counter[LeftOut]) -> str:
    """What a message says; its pictures and recordings are counted as left out."""
    if content.get("content_type") == "code":
        return f"```{values.name(content.get('language'), 40)}\n{values.text(content.get('text'))}\n```"
    parts = []
    for part in values.sequence(content.get("parts")):
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):  # what was said aloud
            parts.append(part["text"])
        else:
            left_out[LeftOut.FILE] += 1
    return values.text("\n\n".join(filter(None, parts)) or content.get("text"))


def _thoughts(content: Mapping[str, Any]) -> str:
    found = (
        "\n\n".join(filter(None, (values.name(thought.get("summary")), values.text(thought.get("content")))))
        for thought in values.objects(content.get("thoughts"))
    )
    return values.text("\n\n".join(filter(None, found)))


def _with_thoughts(turn: Turn, reading: _Reading, parents: Mapping[str, str | None]) -> Turn:
    """An answer with the thoughts that stand between it and the turn before."""
    if turn.role != MessageRole.ASSISTANT:
        return turn
    found: list[str] = []
    step, seen = turn.parent, set[str]()
    while step in reading.hidden and step not in seen and len(seen) < MOST_STEPS:
        seen.add(step)
        found.append(reading.thoughts.get(step, ""))
        step = parents.get(step)
    return replace(turn, reasoning="\n\n".join(filter(None, reversed(found))))

"""The mobile app: a conversation as its ``Conversation.toJson()`` writes it.

A comparison of two models holds each question once and both answers behind it, marked by ``modelSource``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from chat.models import MessageRole
from chat.transfer import values
from chat.transfer.formats.building import built, call, finished_run
from chat.transfer.portable import LeftOut, Talk, Turn

SOURCE = "private-chat-hub-app"
PARAMETERS = {"temperature": "temperature", "topK": "top_k", "topP": "top_p", "maxTokens": "max_tokens"}
#: Name prefixes of models that are not Ollama's.
KINDS = {"lmstudio": "LM Studio", "opencode": "OpenCode"}


def recognises(item: Mapping[str, Any]) -> bool:
    """It names its model and says of each message whether it is mine."""
    messages = values.objects(item.get("messages"))
    return "modelName" in item and all("isMe" in message for message in messages) and "messages" in item


def read(item: Mapping[str, Any]) -> Talk:
    """A conversation; the messages follow one another. Raises Unreadable."""
    left_out: Counter[LeftOut] = Counter()
    system = [values.text(item.get("systemPrompt"))]
    turns: list[Turn] = []
    last: str | None = None
    question: str | None = None
    models = {"model1": item.get("model1Name"), "model2": item.get("model2Name")}
    for message in values.objects(item.get("messages")):
        turn = _turn(message, last, _model(models, item, message), left_out)
        if message.get("role") == "system":
            system.append(turn.text)
            continue
        if message.get("modelSource") == "model2" and question is not None:
            turns.append(
                Turn(turn.id, question, turn.role, turn.text, created_at=turn.created_at, runs=turn.runs)
            )
            continue
        turns.append(turn)
        last = turn.id
        if turn.role == MessageRole.USER:
            question = turn.id
    return built(
        source=SOURCE,
        source_id=str(item.get("id") or ""),
        title=item.get("title"),
        turns=turns,
        head=last,
        left_out=left_out,
        system_prompt="\n\n".join(filter(None, system))[:200_000],
        options=values.options(values.renamed(values.mapping(item.get("parameters")), PARAMETERS)),
        model_id=_model({}, item, {})[1],
        created_at=values.moment(item.get("createdAt")),
        updated_at=values.moment(item.get("updatedAt")),
    )


def _model(models: Mapping[str, Any], item: Mapping[str, Any], message: Mapping[str, Any]) -> tuple[str, str]:
    """The program and the model that a message comes from."""
    full = values.name(models.get(str(message.get("modelSource"))) or item.get("modelName"))
    kind, _sep, model = full.partition(":")
    return (KINDS[kind], model) if kind in KINDS and model else ("Ollama", full)


def _turn(
    message: Mapping[str, Any], parent: str | None, model: tuple[str, str], left_out: Counter[LeftOut]
) -> Turn:
    left_out[LeftOut.FILE] += len(values.sequence(message.get("attachments")))
    created = values.moment(message.get("timestamp"))
    mine = message.get("isMe") is True or message.get("role") == "user"
    calls = [
        call(tool.get("toolName"), tool.get("arguments"), values.mapping(tool.get("result")), created)
        for tool in values.objects(message.get("toolCalls"))
    ]
    return Turn(
        id=values.name(message.get("id"), 100) or f"after {parent}",
        parent=parent,
        role=MessageRole.USER if mine else MessageRole.ASSISTANT,
        text=values.text(message.get("text")),
        created_at=created,
        runs=() if mine else finished_run(*model, created, calls),
    )

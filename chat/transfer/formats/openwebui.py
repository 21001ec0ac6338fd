"""Open WebUI's export: ``chat.history.messages`` by id, ``currentId`` ends the path that is shown.

Reasoning and tool calls stand as ``<details>`` inside the text, since 2026 also as ``output`` items.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from html import unescape
from typing import Any

from chat.models import MessageRole
from chat.transfer import values
from chat.transfer.formats.building import built, call, finished_run
from chat.transfer.portable import LeftOut, Talk, Turn

SOURCE = "open-webui"
_DETAILS = re.compile(r'<details type="(reasoning|tool_calls)"([^>]*)>(.*?)</details>\s*', re.DOTALL)
_SUMMARY = re.compile(r"^\s*<summary>.*?</summary>\s*", re.DOTALL)
_DURATION = re.compile(r'duration="(\d{1,7})"')
PARAMETERS = {
    name: name
    for name in ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "max_tokens", "seed", "stop")
} | {"num_ctx": "context_length"}


def recognises(item: Mapping[str, Any]) -> bool:
    """It wraps a chat that has a history or messages."""
    chat = item.get("chat")
    return isinstance(chat, dict) and ("history" in chat or "messages" in chat)


def read(item: Mapping[str, Any]) -> Talk:
    """A conversation. Raises Unreadable."""
    chat = values.mapping(item.get("chat"))
    history = values.mapping(chat.get("history"))
    by_id = values.mapping(history.get("messages"))
    rows = values.objects(list(by_id.values())) or values.objects(chat.get("messages"))
    left_out: Counter[LeftOut] = Counter()
    models = values.sequence(chat.get("models"))
    model = values.name(models[0]) if models else ""
    params = values.mapping(chat.get("params"))
    system = [values.text(params.get("system") or chat.get("system"))]
    system += [values.text(row.get("content")) for row in rows if row.get("role") == "system"]
    hidden = {str(row.get("id")) for row in rows if row.get("role") == "system"}
    parents = {str(row.get("id")): row["parentId"] for row in rows if isinstance(row.get("parentId"), str)}
    head = history.get("currentId")
    return built(
        source=SOURCE,
        source_id=str(item.get("id") or chat.get("id") or ""),
        title=item.get("title") or chat.get("title"),
        turns=[_turn(row, model, left_out) for row in rows if row.get("role") != "system"],
        head=head if isinstance(head, str) else None,
        hidden=hidden,
        parents=parents,
        left_out=left_out,
        system_prompt="\n\n".join(dict.fromkeys(filter(None, system)))[:200_000],
        options=values.options(values.renamed(params, PARAMETERS)),
        model_id=model,
        tags=values.tags(values.mapping(item.get("meta")).get("tags")),
        pinned_at=values.since(item.get("pinned"), item.get("updated_at")),
        archived_at=values.since(item.get("archived"), item.get("updated_at")),
        created_at=values.moment(item.get("created_at") or chat.get("timestamp")),
        updated_at=values.moment(item.get("updated_at")),
    )


def _turn(row: Mapping[str, Any], model: str, left_out: Counter[LeftOut]) -> Turn:
    mine = row.get("role") == "user"
    created = values.moment(row.get("timestamp"))
    output = values.objects(row.get("output"))
    text, folded, duration = _unfolded(values.text(row.get("content")))
    thinking = [_pieces(entry) for entry in output if entry.get("type") == "reasoning"]
    left_out[LeftOut.FILE] += len(values.sequence(row.get("files")))
    parent = row.get("parentId")
    answer = not mine
    return Turn(
        id=values.name(row.get("id"), 100),
        parent=parent if isinstance(parent, str) else None,
        role=MessageRole.USER if mine else MessageRole.ASSISTANT,
        text=text if answer else values.text(row.get("content")),
        reasoning=("\n\n".join(filter(None, thinking)) or folded) if answer else "",
        reasoning_seconds=duration if answer else None,
        created_at=created,
        runs=()
        if mine
        else finished_run(
            "Open WebUI", values.name(row.get("model")) or model, created, _calls(output, created)
        ),
    )


def _unfolded(content: str) -> tuple[str, str, int | None]:
    """The text without its folded parts, the reasoning among them, and how many seconds that took."""
    reasoning, duration = [], None
    for kind, attributes, inside in _DETAILS.findall(content):
        if kind != "reasoning":
            continue
        lines = unescape(_SUMMARY.sub("", inside)).strip().splitlines()
        reasoning.append("\n".join(re.sub(r"^> ?", "", line) for line in lines))
        if seconds := _DURATION.search(attributes):
            duration = int(seconds.group(1))
    return _DETAILS.sub("", content).strip(), "\n\n".join(reasoning), duration


def _pieces(entry: Mapping[str, Any], name: str = "content") -> str:
    return "\n".join(values.text(piece.get("text")) for piece in values.objects(entry.get(name)))


def _calls(output: list[dict[str, Any]], created: Any) -> list[dict[str, Any]]:
    results = {
        str(entry.get("call_id")): _pieces(entry, "output")
        for entry in output
        if entry.get("type") == "function_call_output"
    }
    return [
        call(entry.get("name"), entry.get("arguments"), results.get(str(entry.get("call_id")), ""), created)
        for entry in output
        if entry.get("type") == "function_call"
    ]

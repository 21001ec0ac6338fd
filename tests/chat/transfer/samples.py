"""Small exports of every program, made by hand."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

MOBILE: dict[str, Any] = {
    "id": "1711111111111",
    "title": "Bread",
    "modelName": "lmstudio:qwen3-8b",
    "createdAt": "2026-03-01T10:00:00.000Z",
    "updatedAt": "2026-03-01T10:05:00.000Z",
    "systemPrompt": "Be brief.",
    "parameters": {"temperature": 0.2, "topK": 10, "topP": 0.5, "maxTokens": 4096},
    "projectId": None,
    "messages": [
        {
            "id": "m1",
            "text": "How long does dough rise?",
            "isMe": True,
            "timestamp": "2026-03-01T10:00:00.000Z",
            "role": "user",
            "attachments": [
                {"id": "a", "name": "d.jpg", "mimeType": "image/jpeg", "data": "AA==", "size": 1}
            ],
            "toolCalls": [],
        },
        {
            "id": "m2",
            "text": "An hour.",
            "isMe": False,
            "timestamp": "2026-03-01T10:00:09.000Z",
            "role": "assistant",
            "attachments": [],
            "toolCalls": [
                {
                    "id": "t",
                    "toolName": "web_search",
                    "arguments": {"query": "dough"},
                    "result": {"data": "1 h"},
                }
            ],
        },
    ],
}

COMPARISON: dict[str, Any] = MOBILE | {
    "id": "2",
    "model1Name": "llama3:8b",
    "model2Name": "qwen3:8b",
    "modelName": "llama3:8b",
    "messages": [
        {"id": "q", "text": "Hi", "isMe": True, "timestamp": "2026-03-01T10:00:00Z", "role": "user"},
        {
            "id": "one",
            "text": "Hello from one",
            "isMe": False,
            "timestamp": "2026-03-01T10:00:01Z",
            "role": "assistant",
            "modelSource": "model1",
        },
        {
            "id": "two",
            "text": "Hello from two",
            "isMe": False,
            "timestamp": "2026-03-01T10:00:02Z",
            "role": "assistant",
            "modelSource": "model2",
        },
    ],
}


def chatgpt_node(
    key: str, parent: str | None, role: str, text: str, when: float | None = None, **more: Any
) -> dict[str, Any]:
    """One node of a tree."""
    content = more.pop("content", {"content_type": "text", "parts": [text]})
    return {
        "id": key,
        "parent": parent,
        "message": {"author": {"role": role}, "create_time": when, "content": content} | more,
    }


#: The shape until 2025: ``children``, and a ``model_slug`` at each answer.
CHATGPT_OLD: dict[str, Any] = {
    "title": "Capitals",
    "create_time": 1700000000.5,
    "update_time": 1700000100.0,
    "id": "old-1",
    "current_node": "a2",
    "mapping": {
        "root": {"id": "root", "message": None, "parent": None, "children": ["sys"]},
        "sys": chatgpt_node("sys", "root", "system", "") | {"children": ["u1"]},
        "u1": chatgpt_node("u1", "sys", "user", "Capital of France?", 1700000001.0)
        | {"children": ["a1", "a2"]},
        "a1": chatgpt_node("a1", "u1", "assistant", "Lyon", 1700000002.0, metadata={"model_slug": "gpt-3.5"}),
        "a2": chatgpt_node("a2", "u1", "assistant", "Paris", 1700000003.0, metadata={"model_slug": "gpt-4"}),
    },
}

#: The shape since 2026: no ``children``, no ``metadata``, hidden nodes, thoughts, the model on top.
CHATGPT_NEW: dict[str, Any] = {
    "title": "Rollback",
    "create_time": 1756000000.1,
    "update_time": 1756000400.0,
    "conversation_id": "new-1",
    "default_model_slug": "gpt-5-thinking",
    "current_node": "a",
    "mapping": {
        "client-created-root": {"id": "client-created-root", "message": None, "parent": None},
        "profile": chatgpt_node(
            "profile",
            "client-created-root",
            "user",
            "",
            content={"content_type": "user_editable_context", "user_profile": "I am Alice."},
            metadata={"is_visually_hidden_from_conversation": True},
        ),
        "u": chatgpt_node("u", "profile", "user", "How do I roll back?", 1756000001.0),
        "t": chatgpt_node(
            "t",
            "u",
            "assistant",
            "",
            1756000002.0,
            content={
                "content_type": "thoughts",
                "thoughts": [{"summary": "Helm", "content": "Rollback exists."}],
            },
        ),
        "r": chatgpt_node(
            "r", "t", "assistant", "", content={"content_type": "reasoning_recap", "content": "4 s"}
        ),
        "a": chatgpt_node(
            "a",
            "r",
            "assistant",
            "",
            1756000003.0,
            content={
                "content_type": "multimodal_text",
                "parts": ["helm rollback", {"asset_pointer": "file-1"}],
            },
        ),
    },
}

CLAUDE: dict[str, Any] = {
    "uuid": "c-1",
    "name": "Tides",
    "created_at": "2026-01-02T03:04:05.000000Z",
    "updated_at": "2026-01-02T04:04:05.000000Z",
    "account": {"uuid": "x"},
    "chat_messages": [
        {
            "uuid": "h1",
            "sender": "human",
            "text": "Why tides?",
            "content": [{"type": "text", "text": "Why tides?"}],
            "created_at": "2026-01-02T03:04:05Z",
            "parent_message_uuid": "00000000-0000-4000-8000-000000000000",
            "attachments": [{"file_name": "notes.txt", "extracted_content": "the moon"}],
            "files": [{"file_name": "p.png"}],
        },
        {
            "uuid": "a1",
            "sender": "assistant",
            "text": "",
            "content": [
                {"type": "thinking", "thinking": "Moon."},
                {"type": "tool_use", "name": "web_search", "input": {"query": "tides"}},
                {"type": "tool_result", "content": [{"type": "text", "text": "gravity"}]},
                {"type": "text", "text": "The moon pulls."},
            ],
            "created_at": "2026-01-02T03:04:09Z",
            "parent_message_uuid": "h1",
        },
        {
            "uuid": "a2",
            "sender": "assistant",
            "text": "Gravity.",
            "content": [],
            "created_at": "2026-01-02T03:05:09Z",
            "parent_message_uuid": "h1",
        },
    ],
}

OPEN_WEBUI: dict[str, Any] = {
    "id": "ow-1",
    "title": "Sums",
    "created_at": 1700000000,
    "updated_at": 1700000010,
    "chat": {
        "models": ["deepseek-r1"],
        "params": {"system": "Count.", "num_ctx": 8192, "temperature": 0.1},
        "history": {
            "currentId": "b",
            "messages": {
                "a": {
                    "id": "a",
                    "parentId": None,
                    "role": "user",
                    "content": "15*17?",
                    "timestamp": 1700000000,
                },
                "b": {
                    "id": "b",
                    "parentId": "a",
                    "role": "assistant",
                    "model": "deepseek-r1",
                    "timestamp": 1700000010,
                    "content": '<details type="reasoning" done="true" duration="3"><summary>Thought</summary>\n'
                    "&gt; 15*17 = 255</details>\n255",
                },
                "c": {
                    "id": "c",
                    "parentId": "a",
                    "role": "assistant",
                    "content": "256",
                    "timestamp": 1700000012,
                    "output": [
                        {"type": "function_call", "call_id": "1", "name": "calc", "arguments": "{}"},
                        {"type": "function_call_output", "call_id": "1", "output": [{"text": "255"}]},
                    ],
                },
            },
        },
    },
}

LIBRECHAT: dict[str, Any] = {
    "conversationId": "lc-1",
    "endpoint": "openAI",
    "title": "Venv",
    "branches": True,
    "recursive": True,
    "options": {"model": "gpt-4-turbo", "promptPrefix": "You are an expert.", "temperature": 0.8},
    "messages": [
        {
            "messageId": "u",
            "parentMessageId": "00000000-0000-0000-0000-000000000000",
            "isCreatedByUser": True,
            "text": "How?",
            "createdAt": "2024-05-01T16:35:11.530Z",
            "children": [
                {
                    "messageId": "a",
                    "parentMessageId": "u",
                    "isCreatedByUser": False,
                    "model": "gpt-4-turbo",
                    "createdAt": "2024-05-01T16:35:12.604Z",
                    "content": [
                        {"type": "think", "think": "Hm."},
                        {"type": "text", "text": {"value": "Create it first."}},
                        {"type": "tool_call", "tool_call": {"name": "ls", "args": "{}", "output": "venv"}},
                    ],
                    "children": [
                        {"messageId": "u2", "isCreatedByUser": True, "text": "thanks", "children": []},
                        {"messageId": "u3", "isCreatedByUser": True, "text": "lol", "children": []},
                    ],
                }
            ],
        }
    ],
}

FOREIGN = {
    "app": MOBILE,
    "chatgpt, one file": CHATGPT_OLD,
    "chatgpt, several": CHATGPT_NEW,
    "claude": CLAUDE,
    "open webui": OPEN_WEBUI,
    "librechat": LIBRECHAT,
}


def as_json(value: Any) -> bytes:
    """A file."""
    return json.dumps(value).encode()


def zipped(members: dict[str, bytes], **options: Any) -> bytes:
    """A zip with these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()

"""OpenCode's events and the bodies of its requests."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backends.adapters.errors import ProtocolError
from backends.adapters.events import Ask, AskAnswer, Verdict
from backends.adapters.messages import ChatMessage, ChatRequest, ImagePart, Reasoning, Role, TextPart
from backends.adapters.opencode_history import flattened, framed_system
from backends.adapters.opencode_models import model_ref
from backends.adapters.sse import ServerEvent
from backends.adapters.values import as_dict, as_list, as_str, parse_json

#: A session must have a title, or OpenCode spends a call of the model to invent one.
UNTITLED = "Chat"

_RULES = {"off": "deny", "ask": "ask"}
_LEVELS = frozenset({Reasoning.LOW, Reasoning.MEDIUM, Reasoning.HIGH})


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of the server, of whichever session."""

    type: str
    properties: Mapping[str, Any]

    @property
    def session_id(self) -> str:
        """The session it is about; empty where it does not say."""
        info, part = as_dict(self.properties.get("info")), as_dict(self.properties.get("part"))
        places = (self.properties.get("sessionID"), info.get("sessionID"), part.get("sessionID"))
        return next((text for place in places if (text := as_str(place))), "")


def frame_of(event: ServerEvent) -> Frame | None:
    """The event in a frame; None for JSON that is no event.

    ``/global/event`` wraps events in a ``payload``. Servers written after OpenCode's first documents
    name the type in the ``event:`` line and send the properties bare.
    """
    try:
        body = as_dict(parse_json(event.data))
    except ValueError:
        raise ProtocolError("a frame is not JSON") from None
    if "type" not in body and isinstance(body.get("payload"), dict):
        body = body["payload"]
    if name := as_str(body.get("type")):
        return Frame(name, as_dict(body.get("properties")) or as_dict(body.get("data")))
    return Frame(event.event, body) if event.event and body else None


def session_body(request: ChatRequest, options: Mapping[str, str]) -> dict[str, Any]:
    """A new session: with a title, and without tools unless the endpoint's option ``tools`` says so."""
    body: dict[str, Any] = {"title": request.title.strip() or UNTITLED}
    if rules := permission_rules(options):
        body["permission"] = rules
    return body


def permission_rules(options: Mapping[str, str]) -> list[dict[str, str]]:
    """``tools: off`` (the default) denies all, ``ask`` asks for all, ``server`` leaves it to the server.

    Where all is denied OpenCode does not even tell the model that there are tools. Its own default
    agent runs commands without asking.
    """
    action = _RULES.get(tools_mode(options))
    return [{"permission": "*", "pattern": "*", "action": action}] if action else []


def tools_mode(options: Mapping[str, str]) -> str:
    """``off``, ``ask`` or ``server``; anything unknown is ``off``."""
    mode = options.get("tools", "off")
    return mode if mode in ("ask", "server") else "off"


def prompt_body(
    request: ChatRequest, options: Mapping[str, str], seed: tuple[ChatMessage, ...]
) -> dict[str, Any]:
    """The body of both prompt routes: the last message, after what the session does not know yet."""
    body: dict[str, Any] = {"model": model_ref(request.model), "parts": list(_parts(request, seed))}
    if request.system:
        body["system"] = request.system
    if agent := options.get("agent"):
        body["agent"] = agent
    if variant := _variant(request, options):
        body["variant"] = variant
    if tools_mode(options) == "off":
        body["tools"] = {"*": False}
    return body


def amended(body: dict[str, Any], message: str) -> dict[str, Any] | None:
    """The prompt without the field that a server refuses by name; None where there is none.

    The system prompt is not lost: it goes into the text. ``tools`` stays: without it there would be some.
    """
    for name in ("system", "variant"):
        if name in body and name in message:
            rest = {key: value for key, value in body.items() if key != name}
            if name == "system":
                rest["parts"] = [_hidden(framed_system(body["system"])), *body["parts"]]
            return rest
    return None


def ask_of(frame: Frame) -> Ask:
    """A question or a request for permission, as it is shown to a person."""
    properties = frame.properties
    kind = "question" if frame.type.startswith("question") else "permission"
    payload = _question(properties) if kind == "question" else _permission(properties)
    return Ask(kind, as_str(properties.get("id")), {"session_id": frame.session_id, **payload})


def ask_answer(ask: Ask, answer: AskAnswer, message: str) -> tuple[str, dict[str, Any]]:
    """The end of the path and the body of a reply. Without a message a denial ends the whole run."""
    if ask.kind == "question":
        if isinstance(answer, Verdict):
            return "reject", {}
        return "reply", {"answers": [list(labels) for labels in answer]}
    verdict = answer if isinstance(answer, Verdict) else Verdict.DENY
    body = {"reply": legacy_answer(verdict)}
    if verdict is Verdict.DENY and message:
        body["message"] = message
    return "reply", body


def legacy_answer(verdict: AskAnswer) -> str:
    """OpenCode's word."""
    return "reject" if not isinstance(verdict, Verdict) or verdict is Verdict.DENY else verdict.value


def _permission(properties: Mapping[str, Any]) -> dict[str, Any]:
    """``permission.updated`` of older servers has ``type``, ``pattern`` and ``title``."""
    patterns = properties.get("patterns") or properties.get("pattern")
    return {
        "permission": as_str(properties.get("permission")) or as_str(properties.get("type")),
        "patterns": [text for item in as_list(patterns) or [patterns] if (text := as_str(item))],
        "always": [text for item in as_list(properties.get("always")) if (text := as_str(item))],
        "title": as_str(properties.get("title")),
        "metadata": as_dict(properties.get("metadata")),
    }


def _question(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "questions": [
            {
                "question": as_str(entry.get("question")),
                "header": as_str(entry.get("header")),
                "options": [
                    {"label": as_str(option.get("label")), "description": as_str(option.get("description"))}
                    for option in map(as_dict, as_list(entry.get("options")))
                ],
                "multiple": entry.get("multiple") is True,
                "custom": entry.get("custom") is not False,
            }
            for entry in map(as_dict, as_list(properties.get("questions")))
        ]
    }


def _parts(request: ChatRequest, seed: tuple[ChatMessage, ...]) -> Iterator[dict[str, Any]]:
    if seed:
        yield _hidden(flattened(seed))
        yield from (_file(image) for message in seed for image in message.images)
    last = request.messages[-1] if request.messages else ChatMessage.of(Role.USER, "")
    parts = [_part(part) for part in last.parts if isinstance(part, TextPart | ImagePart)]
    yield from parts or [{"type": "text", "text": ""}]


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    return _file(part) if isinstance(part, ImagePart) else {"type": "text", "text": part.text}


def _file(image: ImagePart) -> dict[str, Any]:
    """An image; OpenCode wants a file name to show."""
    kind = image.media_type.partition("/")[2].partition("+")[0] or "bin"
    url = f"data:{image.media_type};base64,{b64encode(image.data).decode()}"
    return {"type": "file", "mime": image.media_type, "filename": f"image.{kind}", "url": url}


def _hidden(text: str) -> dict[str, Any]:
    """Text for the model that OpenCode's own screens leave out."""
    return {"type": "text", "text": text, "synthetic": True}


def _variant(request: ChatRequest, options: Mapping[str, str]) -> str:
    """How much to think: the conversation's level, or else the endpoint's option."""
    level = request.sampling.reasoning
    return level.value if level in _LEVELS and level else options.get("variant", "")

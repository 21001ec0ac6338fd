"""What we send to oLLM's own routes, and what it says of its models and sessions.

All its bodies refuse unknown fields, so they are built from what it knows. Source: the server's
OpenAPI document and recorded traffic.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from backends.adapters.base import Capability, ModelInfo
from backends.adapters.errors import Unsupported, gettext_noop
from backends.adapters.history import flattened
from backends.adapters.messages import ChatMessage, ChatRequest, SamplingOptions, TextPart
from backends.adapters.values import as_dict, as_list, as_str

#: Our name of an option -> oLLM's.
GENERATION = {
    "max_tokens": "max_new_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
}
#: What the server says where no system prompt is given.
DEFAULT_SYSTEM = "You are a helpful assistant."

_CAPABILITIES = {"image": Capability.VISION, "audio": Capability.AUDIO}
_ONLY_TEXT = gettext_noop("oLLM's own routes carry only text. Switch this backend to its OpenAI routes.")


def prompt_body(request: ChatRequest) -> dict[str, Any]:
    """The body of ``POST /v1/prompt``: the whole conversation as one text. Raises Unsupported."""
    system = {"system_prompt": request.system} if request.system else {}
    return {"prompt": whole(request), **system, **_settings(request)}


def session_body(request: ChatRequest) -> dict[str, Any]:
    """The body of ``POST /v1/sessions``."""
    system = {"system_prompt": request.system} if request.system else {}
    return {"session_name": session_name(request), **system, **_settings(request)}


def plan_body(model: str) -> dict[str, Any]:
    """The body of ``POST /v1/plan``."""
    return {"runtime": {"model_reference": model}}


def session_name(request: ChatRequest) -> str:
    """A fingerprint of the options: a session keeps those it was made with, and does not tell them."""
    text = json.dumps(generation(request.sampling), sort_keys=True)
    return f"hub-{sha256(text.encode()).hexdigest()[:12]}"


def generation(sampling: SamplingOptions) -> dict[str, Any]:
    """The options that are set, under oLLM's names."""
    options = {theirs: getattr(sampling, ours) for ours, theirs in GENERATION.items()}
    return {name: value for name, value in options.items() if value is not None}


def whole(request: ChatRequest) -> str:
    """The conversation as one text. Raises Unsupported for what these routes cannot carry."""
    images = any(message.images for message in request.messages)
    if images or request.tools or request.response_schema is not None:
        raise Unsupported("this route carries only text", hint=_ONLY_TEXT)
    return _text(request.messages)


def goes_on(session: Mapping[str, Any], request: ChatRequest) -> bool:
    """Whether a session remembers exactly what stands before the last message, and nothing else.

    It may have begun with several turns flattened into one. After a regenerated answer or in a
    branch it remembers something else.
    """
    if (
        as_str(session.get("model_reference")) != request.model
        or as_str(session.get("session_name")) != session_name(request)
        or as_str(session.get("system_prompt")) != (request.system or DEFAULT_SYSTEM)
    ):
        return False
    remembered = turns(session)
    ours = request.messages[:-1]
    begun = len(ours) - len(remembered) + 1
    if not remembered or begun < 1:
        return False
    expected = [("user", _text(ours[:begun]))]
    expected += [(message.role.value, message.text) for message in ours[begun:]]
    return remembered == expected


def turns(session: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Role and text of each message of a session."""
    return [_turn(as_dict(entry)) for entry in as_list(session.get("messages"))]


def model_info(entry: Any) -> ModelInfo | None:
    """One entry of ``/v1/ollm/models``; None where it has no reference."""
    model = as_dict(entry)
    reference = as_str(model.get("model_reference"))
    if not reference:
        return None
    modalities = as_list(model.get("resolved_modalities")) or as_list(model.get("modalities"))
    named = {can for name, can in _CAPABILITIES.items() if name in modalities}
    return ModelInfo(
        id=reference,
        name=as_str(model.get("normalized_name")) or reference,
        family=as_str(model.get("native_family")) or as_str(model.get("model_type")),
        capabilities=frozenset({Capability.CHAT} | named) if modalities else None,
        details=plan_facts(model),
    )


def plan_facts(answer: Mapping[str, Any]) -> dict[str, str]:
    """How the server would run a model: from a list's entry, or from ``/v1/plan``."""
    model = as_dict(answer.get("resolved_model")) or answer
    plan = as_dict(answer.get("runtime_plan"))
    facts = {
        "support": as_str(model.get("resolved_support_level")) or as_str(model.get("support_level")),
        "engine": as_str(plan.get("backend_id")),
        "plan": as_str(plan.get("reason")),
        "device": as_str(as_dict(answer.get("runtime_config")).get("device")),
    }
    return {key: text[:400] for key, text in facts.items() if text}


def _settings(request: ChatRequest) -> dict[str, Any]:
    options = generation(request.sampling)
    return {**plan_body(request.model), **({"generation": options} if options else {})}


def _text(messages: tuple[ChatMessage, ...]) -> str:
    return "".join(part.text for part in flattened(messages) if isinstance(part, TextPart))


def _turn(entry: Mapping[str, Any]) -> tuple[str, str]:
    parts = [as_dict(part) for part in as_list(entry.get("content"))]
    return as_str(entry.get("role")), "".join(as_str(part.get("value")) for part in parts)

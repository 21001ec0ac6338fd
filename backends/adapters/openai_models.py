"""Lists of models, as OpenAI's imitators write them: one reader for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from backends.adapters.base import Capability, ModelInfo
from backends.adapters.values import as_dict, as_int, as_list, as_str

#: Words in lists of capabilities and parameters, and what they mean.
_WORDS = {
    "tool_use": Capability.TOOLS,
    "tools": Capability.TOOLS,
    "vision": Capability.VISION,
    "image": Capability.VISION,
    "audio": Capability.AUDIO,
    "reasoning": Capability.REASONING,
    "thinking": Capability.REASONING,
    "embedding": Capability.EMBEDDING,
    "embeddings": Capability.EMBEDDING,
}
#: The ``type`` of LM Studio, and of Together.
_TYPES = {
    "llm": frozenset({Capability.CHAT}),
    "vlm": frozenset({Capability.CHAT, Capability.VISION}),
    "embeddings": frozenset({Capability.EMBEDDING}),
    "chat": frozenset({Capability.CHAT}),
    "language": frozenset({Capability.COMPLETION}),
    "embedding": frozenset({Capability.EMBEDDING}),
}
#: Mistral's ``capabilities`` are switches.
_SWITCHES = {
    "completion_chat": Capability.CHAT,
    "completion_fim": Capability.COMPLETION,
    "function_calling": Capability.TOOLS,
    "vision": Capability.VISION,
    "audio": Capability.AUDIO,
}
#: llama.cpp's router and LM Studio's ``state``.
_LOADED = {"loaded": True, "sleeping": True, "unloaded": False, "not-loaded": False, "loading": False}


def models_in(answer: Any) -> list[ModelInfo] | None:
    """The models of a list: under ``data``, or else under ``models``. None where there is no list.

    llama.cpp has both; what is under ``models`` there is mostly empty strings.
    """
    if isinstance(answer, list):
        return list(_infos(answer))
    body = as_dict(answer)
    if not ({"data", "models"} & body.keys()):
        return None
    return list(_infos(as_list(body.get("data")) or as_list(body.get("models"))))


def is_llamacpp(answer: Any) -> bool:
    """Whether a list of models comes from llama.cpp's server."""
    return any(as_dict(entry).get("owned_by") == "llamacpp" for entry in _entries(answer))


def is_router(answer: Any) -> bool:
    """Whether llama.cpp runs as a router: then ``/props`` does not speak of any of the models."""
    return any("status" in as_dict(entry) for entry in _entries(answer))


def is_lmstudio(answer: Any) -> bool:
    """Whether this is a real list of LM Studio's ``/api/v0/models``."""
    return any("state" in as_dict(entry) for entry in _entries(answer))


def with_props(model: ModelInfo, props: Mapping[str, Any]) -> ModelInfo:
    """The model with what llama.cpp's ``/props`` says of the one that runs."""
    found = {Capability.CHAT, Capability.COMPLETION}
    modalities = as_dict(props.get("modalities"))
    found |= {_WORDS[name] for name in ("vision", "audio") if modalities.get(name) is True}
    if as_dict(props.get("chat_template_caps")).get("supports_tools") is True:
        found.add(Capability.TOOLS)
    window = as_int(as_dict(props.get("default_generation_settings")).get("n_ctx"))
    return replace(
        model,
        capabilities=frozenset(found) | (model.capabilities or frozenset()),
        context_length=window or model.context_length,
        quantization=model.quantization or as_str(props.get("model_ftype")),
        loaded=True,
        details={**model.details, **_build(props)},
    )


def _build(props: Mapping[str, Any]) -> dict[str, str]:
    """The file that runs, without the place where it lies, and the program that runs it."""
    file = as_str(props.get("model_path")).replace("\\", "/").rpartition("/")[2]
    found = {"file": file, "build": as_str(props.get("build_info"))}
    return {name: value for name, value in found.items() if value}


def completed(models: list[ModelInfo], better: list[ModelInfo]) -> list[ModelInfo]:
    """The same models, each replaced by the better description of the same id, if there is one."""
    known = {model.id: model for model in better}
    return [known.get(model.id, model) for model in models]


def _entries(answer: Any) -> list[Any]:
    return as_list(as_dict(answer).get("data"))


def _infos(entries: list[Any]) -> Iterator[ModelInfo]:
    for entry in map(as_dict, entries):
        if name := as_str(entry.get("id")) or as_str(entry.get("name")) or as_str(entry.get("model")):
            yield _info(name, entry)


def _info(name: str, entry: Mapping[str, Any]) -> ModelInfo:
    meta, olla = as_dict(entry.get("meta")), as_dict(entry.get("olla"))
    return ModelInfo(
        id=name,
        name=as_str(entry.get("name")) or name,
        family=as_str(entry.get("arch")) or as_str(olla.get("family")),
        parameter_size=as_str(olla.get("parameter_size")) or _count(as_int(meta.get("n_params"))),
        quantization=_text(entry.get("quantization"), olla.get("quantization"), meta.get("ftype")),
        size_bytes=_number(meta.get("size"), entry.get("size")),
        context_length=_number(
            meta.get("n_ctx"), entry.get("loaded_context_length"), entry.get("max_model_len")
        ),
        max_context_length=_number(
            meta.get("n_ctx_train"),
            entry.get("max_context_length"),
            entry.get("max_model_len"),
            entry.get("context_length"),
            entry.get("context_window"),
            olla.get("max_context_length"),
        ),
        capabilities=_capabilities(entry),
        loaded=_LOADED.get(_state(entry)),
        details=_facts(entry),
    )


def _capabilities(entry: Mapping[str, Any]) -> frozenset[Capability] | None:
    """Only what is said. A list of inputs without ``image`` says that there is no vision."""
    if switches := as_dict(entry.get("capabilities")):
        return frozenset(can for name, can in _SWITCHES.items() if switches.get(name) is True)
    words = [
        *as_list(entry.get("capabilities")),
        *as_list(entry.get("supported_parameters")),
        *as_list(as_dict(entry.get("architecture")).get("input_modalities")),
    ]
    kind = as_str(entry.get("type"))
    if kind not in _TYPES and not any(word in _WORDS or word == "text" for word in words):
        return None
    named = frozenset(_WORDS[word] for word in words if isinstance(word, str) and word in _WORDS)
    return named | _TYPES.get(kind, frozenset({Capability.CHAT}))


def _state(entry: Mapping[str, Any]) -> str:
    return as_str(entry.get("state")) or as_str(as_dict(entry.get("status")).get("value"))


def _facts(entry: Mapping[str, Any]) -> dict[str, str]:
    behind = [as_dict(place) for place in as_list(as_dict(entry.get("olla")).get("availability"))]
    facts = {
        "owned_by": as_str(entry.get("owned_by")) or as_str(entry.get("publisher")),
        "endpoints": ", ".join(filter(None, (as_str(place.get("endpoint")) for place in behind))),
    }
    return {key: value for key, value in facts.items() if value}


def _number(*values: Any) -> int | None:
    return next((number for value in values if (number := as_int(value))), None)


def _text(*values: Any) -> str:
    return next((text for value in values if (text := as_str(value))), "")


def _count(parameters: int | None) -> str:
    """``630167424`` reads as ``630M``."""
    if not parameters or parameters < 1_000_000:
        return ""
    return f"{parameters / 1e9:.1f}B" if parameters >= 1_000_000_000 else f"{parameters // 1_000_000}M"

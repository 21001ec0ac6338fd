"""LM Studio's own list of models (``/api/v1/models``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.adapters.base import Capability, ModelInfo
from backends.adapters.management import LoadedModel
from backends.adapters.values import as_dict, as_int, as_list, as_str


def entries_of(answer: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The entries that have a key; None where there is no such list."""
    if not isinstance(answer.get("models"), list):
        return None
    return [entry for entry in map(as_dict, answer["models"]) if as_str(entry.get("key"))]


def model_info(entry: Mapping[str, Any]) -> ModelInfo:
    """One entry. The window is that of the first loaded instance, or else what the model could take."""
    instances, longest = instances_of(entry), as_int(entry.get("max_context_length"))
    return ModelInfo(
        id=as_str(entry.get("key")),
        name=as_str(entry.get("display_name")) or as_str(entry.get("key")),
        family=as_str(entry.get("architecture")),
        parameter_size=as_str(entry.get("params_string")),
        quantization=as_str(as_dict(entry.get("quantization")).get("name")),
        size_bytes=as_int(entry.get("size_bytes")),
        context_length=next((one.context_length for one in instances if one.context_length), longest),
        max_context_length=longest,
        capabilities=_capabilities(entry),
        loaded=bool(instances),
        details=_facts(entry),
    )


def instances_of(entry: Mapping[str, Any]) -> list[LoadedModel]:
    """The copies of a model that are in memory."""
    instances = map(as_dict, as_list(entry.get("loaded_instances")))
    return [
        LoadedModel(
            id=as_str(entry.get("key")),
            instance=as_str(instance.get("id")),
            context_length=as_int(as_dict(instance.get("config")).get("context_length")),
        )
        for instance in instances
        if as_str(instance.get("id"))
    ]


def is_named(entry: Mapping[str, Any], model: str) -> bool:
    """Whether a request for ``model`` means this entry: by its key, a variant, or a loaded instance."""
    loaded = [instance.instance for instance in instances_of(entry)]
    return model in (entry.get("key"), *as_list(entry.get("variants")), *loaded)


def reasoning_options(entry: Mapping[str, Any]) -> list[str]:
    """The settings of thinking that the model has; none where it does not think."""
    reasoning = as_dict(as_dict(entry.get("capabilities")).get("reasoning"))
    return [as_str(option) for option in as_list(reasoning.get("allowed_options"))]


def _capabilities(entry: Mapping[str, Any]) -> frozenset[Capability]:
    if entry.get("type") == "embedding":
        return frozenset({Capability.EMBEDDING})
    told = as_dict(entry.get("capabilities"))
    found = {Capability.CHAT}
    if told.get("vision") is True:
        found.add(Capability.VISION)
    if told.get("trained_for_tool_use") is True:
        found.add(Capability.TOOLS)
    if reasoning_options(entry):
        found.add(Capability.REASONING)
    return frozenset(found)


def _facts(entry: Mapping[str, Any]) -> dict[str, str]:
    facts = {
        "owned_by": as_str(entry.get("publisher")),
        "format": as_str(entry.get("format")),
        "variant": as_str(entry.get("selected_variant")),
        "reasoning": ", ".join(reasoning_options(entry)),
        "description": as_str(entry.get("description")),
    }
    return {key: value for key, value in facts.items() if value}

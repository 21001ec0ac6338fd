"""Which sampling options a run is sent: the administrator's for the model, then a preset's, then the conversation's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backends.adapters.base import Capability
from backends.adapters.messages import Reasoning, SamplingOptions
from backends.adapters.registry import KINDS, adapter_class
from backends.models import Backend, CatalogueModel
from chat.models import Conversation
from chat.presets import preset_options

#: Every option there is.
EVERY = frozenset(SamplingOptions.__slots__)
#: What a server keeps a loaded model for: where an administrator set it, nobody else does, or the model would
#: be loaded anew at every change. Our name -> that of the server's option.
FIXED: Mapping[str, str] = {"context_length": "num_ctx", "keep_alive": "keep_alive"}


class Source(StrEnum):
    """Who set an option. ``SERVER``: it is set for all models of the server; the adapter adds it."""

    SERVER = "server"
    MODEL = "model"
    PRESET = "preset"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one option, and whose it is."""

    value: Any
    source: Source


def options_for(conversation: Conversation, model: CatalogueModel) -> dict[str, Any]:
    """What a run of that model is sent in that conversation."""
    found = settings_for(conversation, model)
    return {name: found[name].value for name in found if found[name].source is not Source.SERVER}


def settings_for(
    conversation: Conversation, model: CatalogueModel, *, own: bool = True
) -> dict[str, Setting]:
    """The same with whose each value is, and with what is set for the whole server. Without ``own``, as if
    nothing were set in the conversation itself.
    """
    taken, fixed = taken_by(model), fixed_by(model)
    found: dict[str, Setting] = {}
    layers = (
        (Source.MODEL, model.sampling),
        (Source.PRESET, preset_options(conversation)),
        (Source.OWN, conversation.options if own else {}),
    )
    for source, options in layers:
        for name in options.keys() & taken - fixed.keys():
            found[name] = Setting(_within(name, options[name], model.backend), source)
    return {**found, **fixed}


def fixed_by(model: CatalogueModel) -> dict[str, Setting]:
    """What an administrator decided for everybody."""
    found: dict[str, Setting] = {}
    for name in FIXED.keys() & taken_by(model):
        if name in model.sampling:
            found[name] = Setting(model.sampling[name], Source.MODEL)
        elif theirs := model.backend.options.get(FIXED[name]):
            found[name] = Setting(theirs, Source.SERVER)
    return found


def taken_by(model: CatalogueModel) -> frozenset[str]:
    """The options that its server takes, and that mean something to the model."""
    backend = model.backend
    if backend.kind not in KINDS:
        return frozenset()
    adapter = adapter_class(backend.kind)
    names = adapter.takes(backend.base_url, backend.options)
    thinks = not adapter.names_thinkers or model.can(Capability.REASONING) is not False
    return names if thinks else names - {"reasoning"}


def sampling_options(options: Mapping[str, Any]) -> SamplingOptions:
    """Stored options, trusted only as far as the form that wrote them."""
    known = {name: value for name, value in options.items() if name in EVERY and value is not None}
    if "stop" in known:
        known["stop"] = tuple(str(word) for word in known["stop"])
    if "reasoning" in known:
        known["reasoning"] = Reasoning(str(known["reasoning"]))
    return SamplingOptions(**known)


def _within(name: str, value: Any, backend: Backend) -> Any:
    """A preset may be hotter than a server allows."""
    return min(value, adapter_class(backend.kind).hottest) if name == "temperature" else value

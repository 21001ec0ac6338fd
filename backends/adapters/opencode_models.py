"""OpenCode's providers and their models. Their ``options`` hold API keys: nothing of them is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from backends.adapters.base import Capability, ModelInfo
from backends.adapters.errors import ModelNotFound, gettext_noop
from backends.adapters.values import as_dict, as_int, as_list, as_str

_PAIR_HINT = gettext_noop("OpenCode's models are named provider/model. Pick one from the list.")
_LOCAL_NAMES = (".local", ".lan", ".home", ".internal", ".localhost")


def model_ref(model_id: str) -> dict[str, str]:
    """``provider/model`` as the pair that prompts want; a model's own name may hold more slashes.

    Raises ModelNotFound for a name that is no pair.
    """
    provider, _, model = model_id.partition("/")
    if not provider or not model:
        raise ModelNotFound(f"model not found: {model_id[:200]}", hint=_PAIR_HINT)
    return {"providerID": provider, "modelID": model}


def models_in(answer: Any) -> list[ModelInfo] | None:
    """The models of ``/config/providers``, or of ``/provider`` (only what is connected there).

    None where there is no list of providers.
    """
    body = {"providers": answer} if isinstance(answer, list) else as_dict(answer)
    if not ({"providers", "all"} & body.keys()):
        return None
    providers = map(as_dict, as_list(body.get("providers")) or as_list(body.get("all")))
    connected = body.get("connected")
    return [
        model
        for provider in providers
        if not isinstance(connected, list) or provider.get("id") in connected
        for model in _models(provider)
    ]


def _models(provider: Mapping[str, Any]) -> Iterator[ModelInfo]:
    owner = as_str(provider.get("id"))
    models = provider.get("models")
    entries = models.items() if isinstance(models, dict) else (("", entry) for entry in as_list(models))
    for key, value in entries:
        entry = as_dict(value)
        if owner and (model_id := as_str(key) or as_str(entry.get("id"))):
            yield _info(f"{owner}/{model_id}", model_id, provider, entry)


def _info(full_id: str, model_id: str, provider: Mapping[str, Any], entry: Mapping[str, Any]) -> ModelInfo:
    limit = as_dict(entry.get("limit"))
    context = as_int(limit.get("context")) or None
    return ModelInfo(
        id=full_id,
        name=as_str(entry.get("name")) or model_id,
        family=as_str(entry.get("family")),
        context_length=context,
        max_context_length=context,
        capabilities=_capabilities(entry),
        remote=not _is_local(provider, entry),
        details=_facts(provider, entry, limit),
    )


def _capabilities(entry: Mapping[str, Any]) -> frozenset[Capability]:
    """Both shapes: nested under ``capabilities``, and flat as models.dev and older servers have it.

    Tools are left out: OpenCode offers a model its own, never those of a request.
    """
    known = as_dict(entry.get("capabilities")) or entry
    found = {Capability.CHAT}
    if known.get("reasoning") is True:
        found.add(Capability.REASONING)
    if _takes(known, "image"):
        found.add(Capability.VISION)
    if _takes(known, "audio"):
        found.add(Capability.AUDIO)
    return frozenset(found)


def _takes(known: Mapping[str, Any], medium: str) -> bool:
    if as_dict(known.get("input")).get(medium) is True:
        return True
    return medium in as_list(as_dict(known.get("modalities")).get("input"))


def _is_local(provider: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether the provider's address is on this network; the host is looked at and forgotten."""
    address = as_str(as_dict(provider.get("options")).get("baseURL"))
    address = address or as_str(as_dict(entry.get("api")).get("url"))
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith(_LOCAL_NAMES) or bool(host and "." not in host)


def _facts(provider: Mapping[str, Any], entry: Mapping[str, Any], limit: Mapping[str, Any]) -> dict[str, str]:
    status = as_str(entry.get("status"))
    facts = {
        "provider": as_str(provider.get("name")) or as_str(provider.get("id")),
        "status": "" if status == "active" else status,
        "max_output": str(as_int(limit.get("output")) or ""),
        "variants": ", ".join(map(str, as_dict(entry.get("variants")))),
        "release_date": as_str(entry.get("release_date")),
    }
    return {key: value for key, value in facts.items() if value}

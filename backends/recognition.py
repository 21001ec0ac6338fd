"""Which kind of AI server answers at an address: by its answers, never by its port alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from backends.adapters.base import Endpoint, Timeouts
from backends.adapters.errors import AuthFailed, BackendError
from backends.adapters.http import Http
from backends.adapters.registry import KINDS
from backends.adapters.values import as_dict, as_str
from backends.service import Look, look_at

#: Kinds whose protocol others imitate: they count only where no other kind is proved.
IMITATED = ("ollama", "openai")
#: Kinds that no answer tells from another.
SILENT = frozenset({"openai-responses", "scripted"})
#: Whose lists of models say who wrote the server.
OWNERS = {"llamacpp": "llama.cpp", "vllm": "vLLM"}
#: What OpenCode asks for a password with.
OPENCODE_REALM = "Secure Area"


@dataclass(frozen=True, slots=True)
class Sight:
    """A server that was recognised. ``software`` is its name for people.

    ``url`` has the path that its kind wants. ``model_count`` is None where it lets nobody in without
    a key.
    """

    kind: str
    software: str
    url: str
    model_count: int | None
    version: str = ""

    @property
    def needs_key(self) -> bool:
        """Whether it asks for a key or a password before anything else."""
        return self.model_count is None


def kinds() -> list[str]:
    """The kinds that can be recognised, those that nobody imitates first."""
    own = [kind for kind, facts in KINDS.items() if facts.public and kind not in SILENT]
    return [kind for kind in own if kind not in IMITATED] + [kind for kind in IMITATED if kind in own]


async def recognise(root: str, http: Http, patience: float) -> Sight | None:
    """The server at ``http://HOST:PORT``; None where none is known. ``patience``: seconds for each answer."""
    timeouts = Timeouts(connect=patience, first_byte=patience, stall=patience, request=patience)
    endpoint = Endpoint(root, timeouts=timeouts)
    asked = kinds()
    looks = await asyncio.gather(*(look(kind, endpoint, http, patience) for kind in asked))
    seen = {kind: found for kind, found in zip(asked, looks, strict=True) if found is not None}
    for kind in await in_order(seen, endpoint, http):
        found = seen[kind]
        version = found.health.version if found.health else ""
        software = written_by(found) if kind == "openai" else KINDS[kind].label
        return Sight(kind, software, address(kind, root), len(found.models), version)
    return await locked(seen, endpoint, http)


async def look(kind: str, endpoint: Endpoint, http: Http, patience: float) -> Look | None:
    """What the kind's own adapter sees there; None where that takes too long."""
    try:
        async with asyncio.timeout(2 * patience):
            return await look_at(kind, replace(endpoint, base_url=address(kind, endpoint.base_url)), http)
    except TimeoutError:
        return None


async def in_order(seen: dict[str, Look], endpoint: Endpoint, http: Http) -> list[str]:
    """The kinds that proved themselves, the surest first.

    llama.cpp lists its models at Ollama's path too, but only Ollama tells its version. LM Studio's
    adapter also takes servers that are older or hidden, so its own answer is asked for. A list without
    a model is no sign of OpenAI's API: any program may answer ``[]``.
    """
    proved = [kind for kind, found in seen.items() if found.ok]
    if "lmstudio" in proved and not await is_lmstudio(endpoint, http):
        proved.remove("lmstudio")
    if "openai" in proved and not seen["openai"].models:
        proved.remove("openai")
    ollama = seen["ollama"].health if "ollama" in proved else None
    if ollama and not ollama.version:
        proved.remove("ollama")
        proved.append("ollama")
    return proved


async def is_lmstudio(endpoint: Endpoint, http: Http) -> bool:
    """Whether it has LM Studio's list, or LM Studio's way to say that it is too old for it."""
    try:
        answer = as_dict(await http.request_json(endpoint, "GET", "/api/v1/models"))
    except BackendError:
        return False
    unknown_path = as_str(answer.get("error")).lower().startswith("unexpected endpoint")
    return unknown_path or isinstance(answer.get("models"), list)


async def locked(seen: dict[str, Look], endpoint: Endpoint, http: Http) -> Sight | None:
    """A server that wants a key first, where the way it says so tells its kind."""
    refusals = {kind: found.error for kind, found in seen.items() if isinstance(found.error, AuthFailed)}
    kind = ""
    if (error := refusals.get("opencode")) and OPENCODE_REALM in error.data.get("www_authenticate", ""):
        kind = "opencode"
    elif (error := refusals.get("lmstudio")) and error.code == "invalid_api_key":
        kind = "lmstudio"
    elif "openai" in refusals and await health_is_open(endpoint, http):
        kind = "openai"
    return Sight(kind, KINDS[kind].label, address(kind, endpoint.base_url), None) if kind else None


async def health_is_open(endpoint: Endpoint, http: Http) -> bool:
    """llama.cpp and vLLM tell everybody that they are well; a page with a password for all does not."""
    try:
        answer = await http.request_json(endpoint, "GET", "/health")
    except BackendError:
        return False
    return answer is None or as_dict(answer).get("status") == "ok"


def written_by(found: Look) -> str:
    """The program behind an OpenAI-compatible API, where its models name it."""
    owners = {model.details.get("owned_by", "") for model in found.models}
    return next((name for owner, name in OWNERS.items() if owner in owners), KINDS["openai"].label)


def address(kind: str, root: str) -> str:
    """The base URL that this kind is given."""
    return f"{root}/v1" if kind == "openai" else root

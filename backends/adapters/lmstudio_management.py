"""What LM Studio does with its models beside answering: download, load, unload."""

from __future__ import annotations

import asyncio
from abc import ABC
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from urllib.parse import quote

from backends.adapters.base import Adapter
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import ModelNotFound, ServerError, Unsupported, WrongService, gettext_noop
from backends.adapters.lmstudio_models import entries_of, instances_of, is_named
from backends.adapters.management import LoadedModel, ManagesModels, Operation, PullProgress
from backends.adapters.values import as_dict, as_int, as_str

MODELS = "/api/v1/models"
#: Seconds between two looks at a download.
POLL = 1.0

_TOO_OLD = gettext_noop("This LM Studio is too old for that. Version 0.4 or later can.")
_DONE = frozenset({"completed", "already_downloaded"})


class LMStudioManagement(Adapter, ManagesModels, ABC):
    """The half of the adapter that does not answer questions. LM Studio's API deletes nothing."""

    operations = frozenset({Operation.PULL, Operation.LOAD, Operation.UNLOAD, Operation.LOADED})

    async def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model: a name of LM Studio's catalogue or an address at Hugging Face.

        ``NAME@QUANTIZATION`` asks for one quantization. Closing the generator only ends the watching:
        the API has no call that stops a download. Raises ServerError where it fails.
        """
        job = await self._manage("POST", f"{MODELS}/download", _wanted(name))
        job_id = as_str(job.get("job_id"))
        while True:
            progress = _progress(job)
            yield progress
            if progress.status in _DONE:
                return
            if progress.status == "failed" or not job_id:
                raise ServerError(as_str(job.get("error"))[:200] or "the download failed")
            await asyncio.sleep(POLL)
            job = await self._manage("GET", f"{MODELS}/download/status/{quote(job_id, safe='')}")

    async def load(self, model: str) -> None:
        """Load it and wait, unless it is loaded: asking twice would load it twice."""
        if not instances_of(await self._entry(model)):
            await self._manage("POST", f"{MODELS}/load", {"model": model})

    async def unload(self, model: str) -> None:
        """Drop all loaded copies of a model from memory, or the one instance of that name.

        The first copy has the model's own name: that means them all.
        """
        entry = await self._entry(model)
        loaded = [one.instance for one in instances_of(entry)]
        one_of_them = model in loaded and model != entry.get("key")
        for instance in [model] if one_of_them else loaded:
            await self._manage("POST", f"{MODELS}/unload", {"instance_id": instance})

    async def loaded(self) -> list[LoadedModel]:
        """Every copy in memory; LM Studio does not tell how much it takes."""
        return [instance for entry in await self._entries() for instance in instances_of(entry)]

    async def _entries(self) -> list[dict[str, Any]]:
        """The entries of its own list. Raises Unsupported where it is too old to have one."""
        entries = entries_of(await self._manage("GET", MODELS))
        if entries is None:
            raise WrongService("there is no list of models")
        return entries

    async def _entry(self, model: str) -> dict[str, Any]:
        for entry in await self._entries():
            if is_named(entry, model):
                return entry
        raise ModelNotFound(f"model {model[:100]} not found")

    async def _manage(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One object; loading may take as long as a first answer."""
        try:
            return await self._ask(method, path, body)
        except WrongService as error:
            if not is_too_old(error):
                raise
            raise Unsupported(error.message, status=error.status, hint=_TOO_OLD) from error

    async def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One object. LM Studio puts the error about an unknown path into a 200."""
        limit = None if body is None else self.endpoint.timeouts.first_byte
        answer = await self.http.request_json(self.endpoint, method, path, body=body, timeout=limit)
        result = as_dict(answer)
        if result.get("error") and not as_str(result.get("status")):
            raise error_from_payload(result, self.endpoint)
        return result


def is_too_old(error: WrongService) -> bool:
    """Whether it is LM Studio that says so, because it does not know that path."""
    return "unexpected endpoint or method" in error.message.lower()


def _wanted(name: str) -> dict[str, str]:
    model, at, quantization = name.rpartition("@")
    return {"model": model, "quantization": quantization} if at and model else {"model": name}


def _progress(job: Mapping[str, Any]) -> PullProgress:
    total = as_int(job.get("total_size_bytes"))
    completed = as_int(job.get("downloaded_bytes"))
    status = as_str(job.get("status"))[:200]
    if status == "completed":
        completed = total
    return PullProgress(
        status, completed=0 if completed is None and total is not None else completed, total=total
    )

"""What Ollama does with its models beside answering: install, remove, copy, load, unload, embed.

Source: ``server/routes.go`` of github.com/ollama/ollama and recorded traffic.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from backends.adapters.base import Adapter
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import BadRequest, NotFound, Truncated, Unsupported, WrongService
from backends.adapters.http import Stream
from backends.adapters.management import Embeds, LoadedModel, ManagesModels, Operation, PullProgress
from backends.adapters.ndjson import NDJSONDecoder
from backends.adapters.ollama_answer import frame_of
from backends.adapters.ollama_wire import kept_alive, loaded_model
from backends.adapters.values import as_dict, as_int, as_list, as_str
from backends.adapters.vectors import pages, vector, vectors

#: Seconds of silence during a download: at its end Ollama reads every byte again, and says nothing.
PULL_STALL = 900.0


class OllamaManagement(Adapter, ManagesModels, Embeds, ABC):
    """The half of the adapter that does not answer questions."""

    operations = frozenset(Operation)

    async def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model, layer by layer; ``layer`` is a digest.

        Closing the generator closes the connection, which cancels the download. What arrived stays
        on that machine, and the next pull of this name goes on there. Raises Truncated where the
        server says no ``success``.
        """
        timeouts = replace(self.endpoint.timeouts, stall=max(PULL_STALL, self.endpoint.timeouts.stall))
        patient = replace(self.endpoint, timeouts=timeouts)
        body = {"model": name, "stream": True}
        async with (
            self.http.open_stream(patient, "POST", "/api/pull", body=body) as stream,
            aclosing(_lines(stream)) as lines,
        ):
            async for line in lines:
                progress = _progress(frame_of(line, self.endpoint))
                yield progress
                if progress.status == "success":
                    return
        raise Truncated("the download broke off")

    async def delete(self, model: str) -> None:
        """Remove a model from that machine's disk. Raises ModelNotFound."""
        await self._ask("DELETE", "/api/delete", {"model": model})

    async def copy(self, model: str, name: str) -> None:
        """A second name for the same files. Raises ModelNotFound."""
        await self._ask("POST", "/api/copy", {"source": model, "destination": name})

    async def load(self, model: str) -> None:
        """Load it and wait; it stays as long as the endpoint's option ``keep_alive`` says."""
        kept = kept_alive(self.endpoint.options)
        keep = {} if kept is None else {"keep_alive": kept}
        try:
            await self._wait("/api/chat", {"model": model, "messages": [], "stream": False, **keep})
        except Unsupported:  # a model that only embeds
            await self._wait("/api/embed", {"model": model, "input": [], **keep})

    async def unload(self, model: str) -> None:
        """Drop it from memory as soon as it is idle."""
        body = {"model": model, "messages": [], "stream": False, "keep_alive": 0}
        await self._wait("/api/chat", body)

    async def loaded(self) -> list[LoadedModel]:
        """What ``/api/ps`` lists."""
        answer = await self._ask("GET", "/api/ps")
        if "models" not in answer:
            raise WrongService("there is no list of models")
        return [found for entry in as_list(answer["models"]) if (found := loaded_model(entry))]

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """``/api/embed``; servers older than 0.3 have only ``/api/embeddings``, one text at a time."""
        try:
            return [item for page in pages(texts) for item in await self._embed_page(model, page)]
        except (NotFound, BadRequest) as error:
            if error.status not in (404, 405):
                raise
            return [await self._embed_one(model, text) for text in texts]

    async def _embed_page(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        answer = await self._wait("/api/embed", {"model": model, "input": list(texts)})
        return vectors(answer.get("embeddings"), len(texts))

    async def _embed_one(self, model: str, text: str) -> list[float]:
        return vector(
            (await self._wait("/api/embeddings", {"model": model, "prompt": text})).get("embedding")
        )

    async def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the server's limit, not the caller's
    ) -> dict[str, Any]:
        """One object. Another program at that port may put an error into a 200."""
        answer = as_dict(
            await self.http.request_json(self.endpoint, method, path, body=body, timeout=timeout)
        )
        if answer.get("error"):
            raise error_from_payload(answer, self.endpoint)
        return answer

    async def _wait(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The same, where the model may have to be loaded first."""
        return await self._ask("POST", path, body, self.endpoint.timeouts.first_byte)


async def _lines(stream: Stream) -> AsyncGenerator[bytes, None]:
    decoder = NDJSONDecoder()
    while chunk := await stream.read():
        for line in decoder.feed(chunk):
            yield line
    for line in decoder.close():
        yield line


def _progress(frame: dict[str, Any]) -> PullProgress:
    """``completed`` is left out while it is zero; other lines have no numbers at all."""
    total = as_int(frame.get("total"))
    completed = as_int(frame.get("completed"))
    return PullProgress(
        status=as_str(frame.get("status"))[:200],
        layer=as_str(frame.get("digest"))[:100],
        completed=0 if completed is None and total is not None else completed,
        total=total,
    )

"""What a generation keeps of its request. A receipt copies no turn: it names rows, and the digest of each round.

Its values, as stored in ``Generation.receipt``:

- ``format``: 1.
- ``turns``: the messages that were sent, by id, as stretches ``[first, last]`` of neighbouring ids. Ids below 0 are
  those of messages that were gone before it was imported.
- ``summary``: what was sent in place of earlier turns, before the first one, see ``chat.models.Cut``.
- ``begun``: characters of the answer's text that were there before, where it was continued.
- ``plain``: true where calls of tools in earlier answers were left out, because the model knows none.
- ``capabilities``: what was known of the model; None where nothing was.
- ``options``: the sampling options that went into the request.
- ``state``: what the server was reminded of, see ``chat.generation.memory``.
- ``rounds``: for each request ``sha256`` (see ``chat.generation.canonical``), ``steps`` (rounds of tools before it),
  ``tools`` (whether they were on offer) and ``refused`` (whether they were taken out because the server refused them).
- ``retried``: why a request had to be sent once more: the options that the server refused, or a sentence.
- ``model``, ``server``: what was known of them then.
- ``reminded``: true in place of ``state`` where it was imported: what a server remembers is nobody else's.

The system text and the tools are :class:`~chat.models.StoredText` rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends.adapters.messages import ChatRequest
from backends.models import Backend, CatalogueModel
from chat.generation import canonical
from chat.generation.texts import clean, cleaned
from chat.models import Message, StoredText

FORMAT = 1
#: Of what a server tells of a model, the facts that decide what it computes.
LASTING = frozenset(
    {"build", "engine", "file", "format", "modified_at", "provider", "remote_host", "variant"}
)

#: Of what an administrator set for a server, what decides what its models get to read.
SETTINGS = frozenset({"api", "num_ctx", "store"})


@dataclass(slots=True)
class Receipt:
    """The receipt of a run in progress. ``unsaved``: it says more than its row."""

    owner_id: int
    values: dict[str, Any]
    system: str = ""
    tools: str = ""
    rounds: list[dict[str, Any]] = field(default_factory=list)
    unsaved: bool = False

    def add_round(self, request: ChatRequest, *, steps: int, refused: bool) -> None:
        """A request that is about to be sent."""
        if not self.rounds:
            self.system = clean(request.system)
            self.tools = tools_text(request)
            self.values |= {"format": FORMAT, "options": cleaned(canonical.options(request.sampling))}
            self.values["state"] = dict(request.state)
        entry = {"sha256": canonical.digest(request), "steps": steps, "tools": bool(request.tools)}
        self.rounds.append(entry | ({"refused": True} if refused else {}))
        self.unsaved = True

    def note_retry(self, why: str) -> None:
        """The request went out once more."""
        self.values["retried"] = clean(why)[:500]
        self.unsaved = True

    def texts(self) -> list[StoredText]:
        """The rows that it names."""
        return [StoredText.of(self.owner_id, text) for text in (self.system, self.tools) if text]

    def columns(self) -> dict[str, Any]:
        """What its generation keeps."""
        return {
            "receipt": {**self.values, "rounds": self.rounds} if self.rounds else {},
            "system_text_id": StoredText.of(self.owner_id, self.system).key if self.system else None,
            "tools_text_id": StoredText.of(self.owner_id, self.tools).key if self.tools else None,
        }


def begin(rows: Sequence[Message], answer: Message, *, continues: bool) -> dict[str, Any]:
    """Which messages a request is made of."""
    found: dict[str, Any] = {"turns": list(stretches(row.pk for row in rows))}
    return found | ({"begun": len(answer.text)} if continues else {})


def about(backend: Backend, model: CatalogueModel | None, *, able: bool) -> dict[str, Any]:
    """What is known of server and model while they are asked."""
    return {
        **({} if able else {"plain": True}),
        "capabilities": None if model is None else model.capabilities,
        "model": model_facts(model) if model else {},
        "server": {
            "kind": backend.kind,
            "version": backend.version,
            **{name: value for name, value in backend.options.items() if name in SETTINGS},
        },
    }


def model_facts(model: CatalogueModel) -> dict[str, Any]:
    """What tells one build of a model from another."""
    found = {
        "digest": model.digest,
        "family": model.family,
        "parameter_size": model.parameter_size,
        "quantization": model.quantization,
        "size_bytes": model.size_bytes,
        "context_length": model.context_length,
        **{name: value for name, value in model.details.items() if name in LASTING},
    }
    return {name: value for name, value in found.items() if value}


def tools_text(request: ChatRequest) -> str:
    """The tools on offer as one text; empty where there are none."""
    return clean(canonical.as_bytes(canonical.tools(request.tools)).decode()) if request.tools else ""


def stretches(ids: Iterable[int]) -> Iterator[list[int]]:
    """The ids as ``[first, last]`` of each stretch without a gap: most conversations are one."""
    first = last = None
    for number in ids:
        if first is None or last is None or number != last + 1:
            if first is not None and last is not None:
                yield [first, last]
            first = number
        last = number
    if first is not None and last is not None:
        yield [first, last]


def ids_in(receipt: Mapping[str, Any]) -> list[int]:
    """The messages that a receipt names, in their order."""
    return [number for first, last in receipt.get("turns", ()) for number in range(first, last + 1)]

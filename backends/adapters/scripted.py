"""An adapter without a server: it plays a list of events, for the demo and for tests.

The base URL ``scripted:NAME`` names the script. ``scripted:demo`` is always there; others are
registered in this process with :func:`register`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from itertools import chain
from typing import ClassVar

from backends.adapters.base import Adapter, Capability, Health, ModelInfo
from backends.adapters.errors import BackendError, ErrorKind, NotFound, gettext_noop
from backends.adapters.events import (
    Ask,
    AskAnswer,
    Event,
    Finish,
    FinishReason,
    Phase,
    ReasoningDelta,
    Started,
    Status,
    TextDelta,
    Usage,
)
from backends.adapters.frames import merged
from backends.adapters.messages import ChatRequest, Reasoning, Role, SamplingOptions

#: A step is an event, an error to raise, or a number of seconds to wait.
Step = Event | BackendError | float
Script = Callable[[ChatRequest], Iterable[Step]]

SCHEME = "scripted:"

#: What a script's requests were answered, by their ids.
replies: dict[str, AskAnswer] = {}


class ScriptedAdapter(Adapter):
    """Plays a script. Steps without a wait between them come as one batch, like one network read."""

    kind = "scripted"
    hints: ClassVar[Mapping[ErrorKind, str]] = {
        ErrorKind.NOT_FOUND: gettext_noop("No script has this name. The demo is at scripted:demo."),
    }

    takes_tools = True
    sampling_fields = frozenset(SamplingOptions.__slots__)

    async def health(self) -> Health:
        """Always well, if the script exists."""
        self._script()
        return Health(version="1", detail=self._name)

    async def list_models(self) -> list[ModelInfo]:
        """One model, with the script's name. A script may call tools; the demo has none to show."""
        script = self._script()
        chat = frozenset({Capability.CHAT, Capability.REASONING})
        if script is not demo:
            chat |= {Capability.TOOLS}
        return [
            ModelInfo(id=self._name, name=self._name.capitalize(), context_length=8192, capabilities=chat)
        ]

    async def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """The script's events. Without a Finish of its own it ends with ``stop``."""
        delivered = False
        for step in _batched(chain(self._script()(request), [Finish(FinishReason.STOP)])):
            if isinstance(step, BackendError):
                step.partial = delivered
                raise step
            if isinstance(step, list):
                delivered = delivered or any(isinstance(event, TextDelta | ReasoningDelta) for event in step)
                yield merged(step)
            else:
                await asyncio.sleep(step)

    async def reply(self, ask: Ask, answer: AskAnswer, message: str = "") -> None:
        """Note the answer in :data:`replies`, where a script can wait for it."""
        replies[ask.id] = answer

    @property
    def _name(self) -> str:
        return self.endpoint.base_url.removeprefix(SCHEME)

    def _script(self) -> Script:
        try:
            return _scripts[self._name]
        except KeyError:
            raise NotFound(f"there is no script “{self._name}”") from None


def register(name: str, script: Script | Iterable[Step]) -> None:
    """Make a script known in this process: its steps, or a function that writes them for a request."""
    if callable(script):
        _scripts[name] = script
    else:
        steps = tuple(script)
        _scripts[name] = lambda request: steps


@contextmanager
def registered(name: str, script: Script | Iterable[Step]) -> Iterator[str]:
    """The same for the time of a block; gives the base URL."""
    register(name, script)
    try:
        yield f"{SCHEME}{name}"
    finally:
        _scripts.pop(name, None)


def _batched(steps: Iterable[Step]) -> Iterator[list[Event] | BackendError | float]:
    """Events that stand together as one list, up to the first Finish; errors as copies."""
    batch: list[Event] = []
    for step in steps:
        if not isinstance(step, int | float | BackendError):
            batch.append(step)
            if isinstance(step, Finish):
                break
            continue
        if batch:
            yield batch
        batch = []
        yield copy(step)
    if batch:
        yield batch


def demo(request: ChatRequest) -> Iterator[Step]:
    """A pleasant answer in Markdown that quotes the question, at about the speed of a small model."""
    question = _question(request)
    answer = _ANSWER.format(quote="\n".join(f"> {line}" for line in question.splitlines()))
    yield Started(model=request.model)
    yield Status(Phase.PROMPT, 1.0)
    yield 0.4
    if request.sampling.reasoning not in (None, Reasoning.OFF):
        yield from _typed(_THOUGHT, ReasoningDelta)
    yield from _typed(answer, TextDelta)
    words = len(answer.split())
    yield Usage(
        input_tokens=len(question.split()),
        output_tokens=words,
        tokens_per_second=1 / _PAUSE,
        ttft_s=0.4,
        total_s=0.4 + words * _PAUSE,
    )


_PAUSE = 0.025
_THOUGHT = "The person tries the demo. I quote the question and show what an answer can look like.\n"
_ANSWER = """You asked:

{quote}

I am a **demo**: no AI server is behind me, but everything else you see is real.

### What an answer can hold

- *emphasis*, `code` and [links](https://example.org)
- lists, and tables:

| Part | What it does |
| --- | --- |
| Backend | writes the answers |
| Chat | keeps them |

```python
def greet(name: str) -> str:
    return f"Hello, {{name}}!"
```

1. Add your own AI server under *Backends*.
2. Pick one of its models.
3. Ask again.
"""


def _question(request: ChatRequest) -> str:
    questions = [message.text.strip() for message in request.messages if message.role is Role.USER]
    question = questions[-1] if questions else ""
    return (question[:500] + "…" if len(question) > 500 else question) or "…"


def _typed(text: str, kind: type[TextDelta] | type[ReasoningDelta]) -> Iterator[Step]:
    for word in text.split(" "):
        yield kind(word + " ")
        yield _PAUSE


_scripts: dict[str, Script] = {"demo": demo}

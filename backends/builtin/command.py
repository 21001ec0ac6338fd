"""The command line of ``python -m backends.builtin.fetch``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from backends.builtin.fetch import Tools, try_ensure

_ROOT = Path(__file__).resolve().parents[2]
_OFF = {"off", "0", "false", "no"}
#: The shell's code for a program that Ctrl-C ended.
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, tools: Tools | None = None) -> int:
    """Fetch what is missing; the exit code."""
    _read_dotenv()
    options = _parser().parse_args(arguments)
    if os.environ.get("HUB_BUILTIN", "on").lower() in _OFF:
        return 0
    signal.signal(signal.SIGTERM, _leave)
    try:
        found = try_ensure(options.data_dir.expanduser().resolve(), options.model, tools)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Nothing half-made was left; HUB_BUILTIN=off skips the built-in model.\n")
        return _INTERRUPTED
    return 0 if found or options.optional else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backends.builtin.fetch",
        description="Fetch the built-in model (about 127 MB) into the data folder, if it is not there.",
        epilog="HUB_BUILTIN=off: do nothing.",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("DATA_DIR") or _ROOT / "data"),
        help="the hub's data folder (DATA_DIR)",
    )
    parser.add_argument(
        "--model",
        default=os.environ.get("HUB_BUILTIN_MODEL", ""),
        help="a GGUF file of your own: then only the engine is fetched (HUB_BUILTIN_MODEL)",
    )
    parser.add_argument("--optional", action="store_true", help="exit with 0 even if the fetch fails")
    return parser


def _read_dotenv() -> None:
    """The same .env as the hub's, without the hub's settings (which would make its keys)."""
    import environ

    if (_ROOT / ".env").is_file():
        environ.Env.read_env(str(_ROOT / ".env"), overwrite=False)


def _leave(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)

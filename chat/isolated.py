"""Runs ``chat.workers``: untrusted files are read in processes of their own, in bounds."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

#: Programs at a time; each may take about a gigabyte for a moment.
AT_A_TIME = 2

WORKERS = Path(__file__).with_name("workers")

_turns = threading.BoundedSemaphore(AT_A_TIME)


def command(worker: Path, *arguments: str) -> tuple[str, ...]:
    """The program that runs a worker. ``-I``: no path and no settings of ours; give it no environment either."""
    return (sys.executable, "-I", str(WORKERS / "bounded.py"), str(worker), *arguments)


def isolated(worker: Path, data: bytes, seconds: float) -> bytes:
    """What the worker answers about the data; nothing where it was killed or took too long."""
    with _turns:
        try:
            return subprocess.run(
                command(worker),
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
                env={},
            ).stdout
        except subprocess.TimeoutExpired:
            return b""

"""Untrusted files are read by small programs of their own, which limit themselves and know nothing of the hub."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

#: Programs at a time; each may take about a gigabyte for a moment.
AT_A_TIME = 2

_turns = threading.BoundedSemaphore(AT_A_TIME)


def isolated(program: Path, data: bytes, seconds: float) -> bytes:
    """What the program writes about the data; nothing where it was killed or took too long.

    ``-I``: no path and no environment of ours.
    """
    with _turns:
        try:
            return subprocess.run(
                [sys.executable, "-I", str(program)],
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
                env={},
            ).stdout
        except subprocess.TimeoutExpired:
            return b""

"""Runs pip with the environment's own configuration, and puts its failures into a sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

#: Seconds between two looks at the progress, and that pip gets to end when it is interrupted.
_TICK = 0.25
_GRACE = 3.0
#: Lines of pip's output that are kept.
_KEPT_LINES = 60


@dataclass(frozen=True, slots=True)
class PipResult:
    """How pip ended, and the last lines that it printed."""

    code: int
    output: str = ""


#: Runs pip with these arguments and this folder for temporary files; calls the function now and then.
PipRunner = Callable[[Sequence[str], Path, Callable[[], None]], PipResult]


def run_pip(arguments: Sequence[str], temp: Path, tick: Callable[[], None]) -> PipResult:
    """Run this interpreter's pip to its end. Whatever interrupts this ends pip too."""
    environment = os.environ | {
        "TMPDIR": str(temp),
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    command = [sys.executable, "-m", "pip", *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        errors="replace",
    ) as process:
        try:
            return _follow(process, tick)
        except BaseException:
            _end(process)
            raise


def _follow(process: subprocess.Popen[str], tick: Callable[[], None]) -> PipResult:
    lines: deque[str] = deque(maxlen=_KEPT_LINES)
    reader = threading.Thread(target=_keep, args=(process.stdout, lines), daemon=True)
    reader.start()
    while True:
        try:
            code = process.wait(timeout=_TICK)
        except subprocess.TimeoutExpired:
            tick()
        else:
            reader.join()
            return PipResult(code, "".join(lines))


def _keep(stream: IO[str] | None, lines: deque[str]) -> None:
    for line in stream or ():
        lines.append(line)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()


#: The first pattern that occurs in pip's output decides.
_REASONS: tuple[tuple[str, str], ...] = (
    (
        r"do not match the hashes",
        "a downloaded file is not the expected one (its SHA-256 differs); it was thrown away",
    ),
    (r"No space left on device|Disk quota exceeded", "the disk is full"),
    (r"No module named pip", "this Python has no pip; add it with `python -m ensurepip`"),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError", "the package index's certificate is not trusted here"),
    (
        r"connection (broken|error|refused)|ConnectionError|Network is unreachable|Max retries|timed out",
        "the package index cannot be reached; this machine seems to be offline",
    ),
    (
        r"No matching distribution|not a supported wheel",
        "the package index has no ready-made package for this machine",
    ),
    (r"Permission denied", "a file could not be written (permission denied)"),
)


def explain(result: PipResult) -> str:
    """Why pip failed: half a sentence, without any address (those may carry credentials)."""
    for pattern, reason in _REASONS:
        if re.search(pattern, result.output, re.IGNORECASE):
            return reason
    errors = [line for line in result.output.splitlines() if line.startswith("ERROR")]
    return _plain(errors) or f"pip ended with code {result.code}"


def _plain(errors: Iterable[str]) -> str:
    text = " ".join(errors).replace("ERROR: ", "")
    return re.sub(r"\b\w+://\S+", "…", text)[:300].strip(" .")

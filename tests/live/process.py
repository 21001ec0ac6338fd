"""Programs that a test starts: their output is kept, and they are ended for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
#: Seconds to wait for what takes a moment on an idle machine and long on a busy one.
PATIENCE = 45.0


class NotInTime(AssertionError):
    """What a test waited for did not come."""


def wait_for(condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Call it until it gives something true, and give that. Raises NotInTime."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise NotInTime(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)
    return found


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """A child in a process group of its own; everything it says goes to a file."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def launch(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path = ROOT, user: str | None = None
    ) -> None:
        """Start it. Its output is added to what an earlier start has said."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process id of the last start."""
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def output(self) -> str:
        """Everything it has said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        assert self.process is not None
        return self.process.wait(seconds)

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 15.0) -> None:
        """Ask it to end, then make it and all it has started end."""
        if self.process is None:
            return
        if self.is_running:
            self.send(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait(5)

"""One run of the server's program: started, listened to, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from backends.builtin.log import BoundedLog

#: Isolated: no variables, no folders of the hub. The program stands alone.
SERVER_COMMAND: tuple[str, ...] = (sys.executable, "-I", str(Path(__file__).with_name("server.py")))

#: What the child gets of the environment; the hub's secrets are none of its business.
_KEPT = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"})
_KEPT_PREFIXES = ("GGML_", "LLAMA_", "OMP_", "GOMP_", "LD_LIBRARY_", "DYLD_LIBRARY_")
_CHUNK = 64 * 1024


class Child:
    """A running program.

    Use it as a context manager, and only in the thread that made it: on Linux the kernel ends the
    child when that thread ends. ``on_url`` and ``on_end`` are called by another thread.
    """

    def __init__(
        self,
        command: Sequence[str],
        order: dict[str, Any],
        log: BoundedLog,
        *,
        grace: float,
        on_url: Callable[[str], None],
        on_end: Callable[[], None],
    ) -> None:
        self._grace = grace
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,  # Ctrl-C in the terminal is for the hub, which then ends the child
        )
        stdin, stdout, stderr = _pipes(self._process)
        self._readers = [
            threading.Thread(target=_read_answers, args=(stdout, on_url, on_end), daemon=True),
            threading.Thread(target=_read_log, args=(stderr, log), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        _send(stdin, order | {"parent": os.getpid()})

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def wait(self) -> str:
        """How it ended, in words, after its output has ended."""
        try:
            code = self._process.wait(timeout=self._grace)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        return _in_words(code)

    def end(self) -> None:
        """SIGTERM, SIGKILL after the grace time; reaped, all pipes closed."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout=self._grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(timeout=self._grace)
        for pipe in _pipes(self._process):
            pipe.close()


def _environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("the child was started without pipes")
    return process.stdin, process.stdout, process.stderr


def _send(stdin: IO[bytes], order: dict[str, Any]) -> None:
    """Stdin stays open: its end tells the child that the hub is gone."""
    try:
        os.write(stdin.fileno(), json.dumps(order).encode() + b"\n")
    except BrokenPipeError:
        return  # it has ended already, which its readers notice


def _read_answers(stdout: IO[bytes], on_url: Callable[[str], None], on_end: Callable[[], None]) -> None:
    for line in stdout:
        try:
            url = json.loads(line)["url"]
        except (ValueError, TypeError, KeyError):
            continue
        on_url(url)
    on_end()


def _read_log(stderr: IO[bytes], log: BoundedLog) -> None:
    while chunk := os.read(stderr.fileno(), _CHUNK):
        log.write(chunk)


def _in_words(code: int) -> str:
    if code >= 0:
        return f"it ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"it was ended by {name}" + _SIGNAL_NOTES.get(name, "")


_SIGNAL_NOTES = {
    "SIGKILL": " (did the machine run out of memory?)",
    "SIGILL": " (this processor lacks an instruction that the engine uses)",
}

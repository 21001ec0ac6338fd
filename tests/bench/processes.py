"""Starting, measuring and stopping the processes of a measurement."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
USERNAME, PASSWORD = "bench", "measuring-tape-42"
START_LIMIT = 60.0
#: Tokens that the fake backend's models take: room for the longest conversation that is measured.
WINDOW = 131_072


class StartError(RuntimeError):
    """A process did not come up."""


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], env: Mapping[str, str], log: TextIO) -> Iterator[subprocess.Popen[str]]:
    """A child in a process group of its own, which is ended with everything it started."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    for number, patience in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def wait_for_200(process: subprocess.Popen[str], port: int, path: str) -> float:
    """Seconds until the path answers 200."""
    began = time.perf_counter()
    while time.perf_counter() - began < START_LIMIT:
        if process.poll() is not None:
            raise StartError(f"the process ended with {process.returncode}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return time.perf_counter() - began
            finally:
                connection.close()
        time.sleep(0.01)
    raise StartError(f"{path} did not answer 200 within {START_LIMIT:.0f} s")


@dataclass(slots=True)
class Setting:
    """Everything that the commands of one run share."""

    folder: Path
    backend_port: int = field(default_factory=free_port)
    hub_port: int = field(default_factory=free_port)
    hub_command: str | None = None
    database_url: str | None = None
    redis_url: str = ""

    @property
    def backend_url(self) -> str:
        """Where the fake backend listens."""
        return f"http://127.0.0.1:{self.backend_port}"

    @property
    def origin(self) -> str:
        """Where the hub listens."""
        return f"http://127.0.0.1:{self.hub_port}"

    def env(self) -> dict[str, str]:
        """The hub's environment: a data folder of its own, whatever ``.env`` says."""
        database = self.database_url or f"sqlite:///{self.folder / 'data' / 'hub.sqlite3'}"
        own = {
            "HOST": "127.0.0.1",
            "PORT": str(self.hub_port),
            "DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": database,
            "REDIS_URL": self.redis_url,
            "HUB_ADMIN_USERNAME": USERNAME,
            "HUB_ADMIN_PASSWORD": PASSWORD,
            "HUB_BUILTIN": "off",
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **own}

    @contextlib.contextmanager
    def backend(self) -> Iterator[int]:
        """The fake backend; gives its process id."""
        options = ("--port", str(self.backend_port), "--window", str(WINDOW))
        command = [sys.executable, "-m", "tests.fakes.server", *options]
        with self._log("backend") as log, running(command, os.environ, log) as process:
            wait_for_200(process, self.backend_port, "/health")
            yield process.pid

    @contextlib.contextmanager
    def hub(self) -> Iterator[tuple[int, float]]:
        """The hub; gives its process id and the seconds that it took to start."""
        command = (
            shlex.split(self.hub_command) if self.hub_command else [sys.executable, "manage.py", "serve"]
        )
        with self._log("hub") as log, running(command, self.env(), log) as process:
            try:
                seconds = wait_for_200(process, self.hub_port, "/healthz")
            except StartError as error:
                raise StartError(f"the hub: {error}\n{self.tail('hub')}") from None
            yield process.pid, seconds

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A management command in the hub's environment."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.env(), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise StartError(f"manage.py {' '.join(arguments)}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done

    def add_backend(self) -> None:
        """Make the fake backend known, with room for everybody where that can be said."""
        arguments = ("add_backend", "Fake", "--kind", "openai", "--url", f"{self.backend_url}/v1")
        roomy = self.manage(*arguments, "--slots", "256", check=False)
        if roomy.returncode:
            self.manage(*arguments)

    def tail(self, name: str, lines: int = 25) -> str:
        """The end of a process's output."""
        path = self.folder / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _log(self, name: str) -> TextIO:
        return (self.folder / f"{name}.log").open("a")


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children, all threads, in ticks of 10 ms."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def fine_cpu_seconds(pid: int) -> float:
    """The same to the nanosecond, but without threads that have ended: good for short stretches."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{member}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9 if total else cpu_seconds(pid)


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes (10^6 bytes)."""

    rss: float
    pss: float
    peak: float


def memory(pid: int) -> Memory:
    """Of a process and its children."""
    rss = pss = peak = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{member}/status").read_text()
            rss += _kilobytes(status, "VmRSS:")
            peak += _kilobytes(status, "VmHWM:")
            pss += _kilobytes(Path(f"/proc/{member}/smaps_rollup").read_text(), "Pss:")
    return Memory(rss * 1024 / 1e6, pss * 1024 / 1e6, peak * 1024 / 1e6)


def _kilobytes(text: str, name: str) -> int:
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name)), 0)

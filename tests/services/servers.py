"""PostgreSQL and Redis for tests: servers of the test run's own, on loopback, in a folder that goes away."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.live.process import Program, free_port, wait_for

#: Debian puts the server's programs beside the path.
_POSTGRES_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_PASSWORD = "hub-tests"


class Missing(Exception):
    """The program of that server is not installed here."""


class Server:
    """A child process with a folder and a port, both the same at every start."""

    def __init__(self, name: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"hub-{name}-"))
        self.port = free_port()
        self.program = Program(self.folder / f"{name}.log")

    def start(self) -> None:
        """Start it, and return when it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop it; what it keeps on disk stays."""
        raise NotImplementedError

    def end(self) -> None:
        """Leave nothing running and nothing behind."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def listens(self) -> bool:
        """Whether its port takes connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
        except OSError:
            return False
        return True


class Redis(Server):
    """Keeps nothing on disk, so a restart forgets everything."""

    def __init__(self) -> None:
        self._command = program("redis-server")
        super().__init__("redis")

    @property
    def url(self) -> str:
        """As in ``REDIS_URL``."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and return when it answers."""
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.program.launch([self._command, *arguments], dict(os.environ), cwd=self.folder)
        wait_for(self.listens, "Redis", 15)

    def stop(self) -> None:
        """Stop it."""
        self.program.end()


class Postgres(Server):
    """One cluster. It may not run as root, so root gives it another user."""

    def __init__(self) -> None:
        self._initdb, self._postgres = program("initdb"), program("postgres")
        super().__init__("postgres")
        self.user = unprivileged_user() if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self._make_cluster()

    def url(self, database: str = "postgres") -> str:
        """As in ``DATABASE_URL``."""
        return f"postgres://hub:{_PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and return when it answers. Nothing here need survive a loss of power."""
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.program.launch(
            [self._postgres, "-D", str(self._data), *arguments],
            clean_environment(), cwd=self.folder, user=self.user,
        )  # fmt: skip
        wait_for(self._answers, "PostgreSQL", 30)

    def stop(self) -> None:
        """The fast way to shut down: connections are cut, nothing is lost."""
        self.program.end(signal.SIGINT)

    def create(self, database: str, like: str = "template1") -> str:
        """A new database, a copy of one that nobody uses now; gives its address."""
        where = ["-h", str(self.folder), "-p", str(self.port), "-U", "hub"]
        self._run(["createdb", *where, "--template", like, database])
        return self.url(database)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _make_cluster(self) -> None:
        secret = self.folder / "password"
        secret.write_text(_PASSWORD)
        if self.user:
            shutil.chown(secret, self.user)
        self._run([
            self._initdb, "-D", str(self._data), "-U", "hub", "--pwfile", str(secret), "--no-sync",
            "--auth-local=trust", "--auth-host=password", "--encoding=UTF8", "--locale=C.UTF-8",
        ])  # fmt: skip

    def _answers(self) -> bool:
        command = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False, env=clean_environment()).returncode == 0

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            [program(command[0]), *command[1:]], cwd=self.folder, env=clean_environment(), user=self.user,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"


def program(name: str) -> str:
    """The path of a server's program. Raises Missing."""
    if Path(name).is_absolute():
        return name
    path = os.pathsep.join([*map(str, _POSTGRES_FOLDERS), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def unprivileged_user() -> str:
    """Who may run what root may not."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def clean_environment() -> dict[str, str]:
    """Ours without what would lead PostgreSQL's programs to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}

"""The hub as its owner runs it: ``manage.py serve`` in a process of its own, on a free port."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from tests.live.person import Person
from tests.live.process import ROOT, Program, free_port, wait_for

PASSWORD = "correct horse battery"
ADMINISTRATOR = "ada"
PEOPLE = ("alice", "bob")

_PREPARE = """
from django.contrib.auth.hashers import make_password
from privatechathub.accounts.models import User
from privatechathub.ops.static import collect_static

password = make_password({password!r})
User.objects.create(username={administrator!r}, password=password, is_staff=True, is_superuser=True)
for name in {people!r}:
    User.objects.create(username=name, password=password)
collect_static()
"""


def migrate(hub: Hub) -> None:
    """Make its tables."""
    hub.manage("migrate", "--skip-checks", "--verbosity", "0")


def prepare(hub: Hub) -> None:
    """To its tables add what else is there after a first start: static files, and a few people."""
    hub.shell(_PREPARE.format(password=PASSWORD, administrator=ADMINISTRATOR, people=PEOPLE))


class Hub:
    """One data folder and the process that serves it. The same port at every start."""

    def __init__(self, folder: Path, *, name: str = "hub", env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.more_env = dict(env or {})
        self.program = Program(folder / f"{name}.log")
        self._people: dict[str, Person] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def data_dir(self) -> Path:
        """Where this hub keeps everything."""
        return self.folder / "data"

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return self.data_dir / "hub.sqlite3"

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The whole environment: nothing of the test's own process, whatever ``.env`` says."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        cleared = dict.fromkeys(
            (
                "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIALS_KEY", "TRUSTED_ORIGINS",
                "HUB_ADMIN_USERNAME", "HUB_ADMIN_USERNAME_FILE", "HUB_ADMIN_PASSWORD", "HUB_ADMIN_PASSWORD_FILE",
                "HUB_BUILTIN_MODEL",
            ),
            "",
        )  # fmt: skip
        own = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(self.data_dir),
            "DEBUG": "false",
            "BEHIND_HTTPS": "false",
            "ALLOWED_HOSTS": "*",
            "LANGUAGE_CODE": "en",
            "TIME_ZONE": "UTC",
            "HUB_BUILTIN": "off",
            "DJANGO_SETTINGS_MODULE": "privatechathub.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONHASHSEED": "0",
        }
        return kept | cleared | own | self.more_env

    @property
    def output(self) -> str:
        """Everything that the process has said, of all starts."""
        return self.program.output

    # --- the process --------------------------------------------------------------------------------

    def start(self) -> Hub:
        """Serve, and return when it does."""
        self.launch()
        self.wait_until_served()
        return self

    def launch(self) -> None:
        """Serve; do not wait."""
        self.program.launch([sys.executable, "manage.py", "serve"], self.env)

    def wait_until_served(self) -> None:
        """Return when the hub says that it is well."""
        wait_for(lambda: self.is_well() or not self.program.is_running, "the hub's /healthz", 60)
        assert self.program.is_running, f"the hub ended with {self.program.wait()}:\n{self.output}"

    def is_well(self) -> bool:
        """Whether ``/healthz`` answers 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, seconds: float = 15.0) -> int:
        """Ask it to end; gives its exit code. Raises subprocess.TimeoutExpired."""
        self.program.send(signal.SIGTERM)
        return self.program.wait(seconds)

    def kill(self) -> None:
        """End it without a chance to save anything."""
        self.program.send(signal.SIGKILL)
        self.program.wait()

    def end(self) -> None:
        """Leave nothing running."""
        self.program.end()

    # --- its data -----------------------------------------------------------------------------------

    def prepared_like(self, other: Hub) -> Hub:
        """Begin with a copy of the data folder of a hub that does not run."""
        shutil.copytree(other.data_dir, self.data_dir)
        return self

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A management command in this hub's environment."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        said = f"manage.py {arguments[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        assert not check or done.returncode == 0, said
        return done

    def shell(self, code: str) -> str:
        """Run Python with the hub's models; gives what it prints."""
        return self.manage("shell", "--verbosity", "0", "-c", code).stdout

    def sql(self, script: str) -> None:
        """Run statements on its SQLite file: what a test leaves is wiped without starting a Python for it."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database:
            database.executescript(f"BEGIN IMMEDIATE; {script}; COMMIT;")

    def add_backend(self, url: str, name: str = "Fake", kind: str = "openai", *more: str) -> None:
        """Make an AI server known; its models are listed at once. Django's checks would take longer than all that."""
        done = self.manage("add_backend", name, "--skip-checks", "--kind", kind, "--url", url, *more)
        assert "model" in done.stdout, done.stdout

    # --- its people ---------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str = PASSWORD) -> Person:
        """A new session of that person."""
        return Person.sign_in(self.origin, name, password)

    def person(self, name: str) -> Person:
        """A session of that person, the same every time."""
        if name not in self._people:
            self._people[name] = self.sign_in(name)
        return self._people[name]

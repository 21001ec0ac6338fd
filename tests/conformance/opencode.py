"""The real OpenCode server: installed once by npm into a folder that later runs use again."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.live.process import Program, free_port, wait_for

VERSION = "1.18.34"
USER, PASSWORD = "opencode", "throw-away-7f3a"
_PROCESSORS = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_OFF = ("MODELS_FETCH", "AUTOUPDATE", "LSP_DOWNLOAD", "SHARE", "DEFAULT_PLUGINS")


def opencode() -> Path:
    """Its program. Where there can't be one: skip, in CI fail."""
    found = _installed()
    if isinstance(found, Path):
        return found
    message = f"needs OpenCode {VERSION} (npm i {_package()}@{VERSION}, 179 MB): {found}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


class OpenCode:
    """A server in an empty project. It looks nothing up outside, and asks for a password."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.program = Program(folder / "opencode.log")
        self._folder = folder
        self._config = config

    def start(self) -> None:
        """Return once it listens."""
        program = opencode()
        project, home = self._folder / "project", self._folder / "home"
        for place in (project, home):
            place.mkdir()
        (project / "opencode.json").write_text(json.dumps(self._config))
        (home / ".npmrc").write_text("registry=http://127.0.0.1:9/\n")
        port = self.url.rpartition(":")[2]
        command = [str(program), "serve", "--hostname", "127.0.0.1", "--port", port]
        self.program.launch(command, _environment(home), cwd=project)
        wait_for(
            lambda: "server listening" in self.program.output or not self.program.is_running, "OpenCode", 90
        )
        assert self.program.is_running, self.program.output

    def stop(self) -> None:
        """Leave nothing running."""
        self.program.end()


def _environment(home: Path) -> dict[str, str]:
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    switches = {f"OPENCODE_DISABLE_{name}": "1" for name in _OFF}
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "OPENCODE_SERVER_PASSWORD": PASSWORD,
        **folders,
        **switches,
    }


def _package() -> str:
    processor = _PROCESSORS.get(platform.machine().lower(), platform.machine())
    return f"opencode-{platform.system().lower()}-{processor}"


@cache
def _installed() -> Path | str:
    """The program, or why there is none. One process installs it, the others wait."""
    folder = Path(os.environ.get("HUB_TEST_OPENCODE_DIR") or _cache_folder())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        return f"{folder} belongs to somebody else"
    program = folder / VERSION / "node_modules" / _package() / "bin" / "opencode"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return program if program.exists() else _install(folder, program)


def _cache_folder() -> str:
    return str(Path(tempfile.gettempdir()) / f"private-chat-hub-opencode-{os.getuid()}")


def _install(folder: Path, program: Path) -> Path | str:
    """Beside the final place, so that a broken install is never taken for a whole one."""
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm"
    with tempfile.TemporaryDirectory(dir=folder) as work:
        command = [
            npm,
            "install",
            "--prefix",
            work,
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--silent",
        ]
        done = subprocess.run(
            [*command, f"{_package()}@{VERSION}"],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            return (done.stderr or done.stdout)[-300:] or f"npm ended with {done.returncode}"
        Path(work).rename(folder / VERSION)
        Path(work).mkdir()  # the context manager removes it
    return program if program.exists() else f"there is no {program.name} in the package"

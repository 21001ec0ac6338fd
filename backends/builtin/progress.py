"""Tells the person at the terminal how far a download is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

_MB = 1_000_000
_BAR = 30
#: Without a terminal one line is printed for each of these percentages.
_STEPS = (25, 50, 75)


class Progress:
    """One line that is updated in place on a terminal; a few plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self._terminal = self.stream.isatty()
        self._label = ""
        self._total = 0
        self._told = 0

    def say(self, sentence: str) -> None:
        """A line of its own."""
        self._write(f"{sentence}\n")

    def begin(self, label: str, total: int) -> None:
        """A download of ``total`` bytes begins."""
        self._label, self._total, self._told = label, total, 0
        self.update(0)

    def update(self, done: int) -> None:
        """``done`` bytes are here. More than the total (unpacked files) count as the total."""
        done = min(done, self._total)
        if self._terminal:
            filled = _BAR * done // self._total
            self._write(f"\r  {self._label} {'#' * filled}{'.' * (_BAR - filled)} {self._amount(done)} ")
            return
        percent = 100 * done // self._total
        for step in _STEPS:
            if self._told < step <= percent:
                self._told = step
                self._write(f"  {self._label}: {step} % of {round(self._total / _MB)} MB\n")

    def finish(self) -> None:
        """The download is complete and checked."""
        if self._terminal:
            self.update(self._total)
            self._write("\n")
        else:
            self._write(f"  {self._label}: done\n")

    def abandon(self) -> None:
        """Leave the updated line, so that an error starts on a new one."""
        if self._terminal and self._label:
            self._write("\n")

    def _amount(self, done: int) -> str:
        return f"{round(done / _MB)} of {round(self._total / _MB)} MB"

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def folder_size(path: Path) -> int:
    """Bytes of all files below. Files may vanish meanwhile."""
    total = 0
    for file in path.rglob("*"):
        try:
            total += file.lstat().st_size if file.is_file() else 0
        except OSError:
            continue
    return total

"""What was measured, as lines beside the bars, and how they are printed."""

from __future__ import annotations

import json
import operator
import os
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

_SENSES = {"<": operator.lt, "<=": operator.le, ">": operator.gt}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. ``bar`` is for example ``("<", 20.0)``; ``direct`` is the backend by itself."""

    group: str
    name: str
    value: float
    unit: str = ""
    direct: float | None = None
    bar: tuple[str, float] | None = None
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the bar is met; None without one."""
        return None if self.bar is None else _SENSES[self.bar[0]](self.value, self.bar[1])

    @property
    def ratio(self) -> float | None:
        """The hub's figure over the backend's own."""
        return self.value / self.direct if self.direct else None

    def cells(self) -> tuple[str, ...]:
        """The line as text."""
        unit = f" {self.unit}" if self.unit else ""
        verdict = {True: "ok", False: "MISSED", None: ""}[self.passed]
        return (
            self.name,
            number(self.value) + unit,
            number(self.direct) + unit if self.direct is not None else "",
            f"{self.ratio:.2f}x" if self.ratio is not None else "",
            f"{self.bar[0]} {number(self.bar[1])}{unit}" if self.bar else "",
            verdict,
            self.note,
        )


HEADINGS = ("", "hub", "direct", "ratio", "bar", "", "")


@dataclass(slots=True)
class Report:
    """Lines in the order in which they came, and what could not be measured."""

    lines: list[Line] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    machine: str = ""
    listeners: list[Callable[[str], None]] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Take a figure."""
        self.lines.append(line)
        for listen in self.listeners:
            listen(f"  {line.group}: {line.name} {number(line.value)} {line.unit}".rstrip())

    def fail(self, name: str, why: str) -> None:
        """Something did not run."""
        self.failures[name] = why

    def table(self) -> str:
        """Everything as one text."""
        rows = [line.cells() for line in self.lines]
        widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
        text = [f"{self.machine}\n"] if self.machine else []
        text.append(_row(HEADINGS, widths))
        group = None
        for line, cells in zip(self.lines, rows, strict=True):
            if line.group != group:
                group = line.group
                text += ["", group]
            text.append(_row(cells, widths))
        text += [f"\nnot measured: {name}: {why}" for name, why in self.failures.items()]
        return "\n".join(text)

    def write_json(self, path: Path) -> None:
        """The same for programs."""
        lines = [asdict(line) | {"passed": line.passed, "ratio": line.ratio} for line in self.lines]
        values = {"machine": self.machine, "lines": lines, "failures": self.failures}
        path.write_text(json.dumps(values, indent=2) + "\n")


def machine() -> str:
    """What the figures depend on: cores, and how busy they are before the start."""
    load = os.getloadavg()[0]
    python = platform.python_version()
    return f"{os.cpu_count()} CPU cores, Python {python}, load average before the start {load:.1f}"


def _row(cells: Iterable[str], widths: list[int]) -> str:
    name, *values, verdict, note = cells
    name_width, *value_widths, verdict_width, _ = widths
    middle = [value.rjust(width) for value, width in zip(values, value_widths, strict=True)]
    parts = [f"  {name.ljust(name_width)}", *middle, verdict.ljust(verdict_width), note]
    return "  ".join(parts).rstrip()


def number(value: float | None) -> str:
    """Three significant digits, thousands with separators."""
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line at once."""
    out = stream or sys.stdout
    out.write(text + "\n")
    out.flush()

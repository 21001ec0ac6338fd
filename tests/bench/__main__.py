"""Measures the hub beside the same backend without it.

Starts a fake backend and the hub on loopback, with a data folder of its own, and prints one table:
the hub's figure, the backend's own, their ratio, and the bar it is held against. It is a measurement,
not a test: a missed bar does not fail it. It fails if something could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType

from tests.bench.bench import Bench
from tests.bench.person import Person
from tests.bench.processes import PASSWORD, USERNAME, Setting, StartError
from tests.bench.report import Line, Report, machine, say
from tests.bench.scenarios import (
    first_token,
    footprint,
    long_answer,
    long_thread,
    page_view,
    relay,
    rush,
    speed,
)

SCENARIOS: dict[str, Callable[[Bench], Awaitable[None]]] = {
    "page": page_view.run,
    "idle": footprint.idle,
    "first-token": first_token.run,
    "relay": relay.run,
    "speed": speed.run,
    "rush": rush.run,
    "long-answer": long_answer.run,
    "long-thread": long_thread.run,
    "peak": footprint.peak,
}
LIMIT = 300.0  # seconds for one scenario


def arguments(given: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=["start", *SCENARIOS],
        help=f"one of start, {', '.join(SCENARIOS)}; may be repeated",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    parser.add_argument(
        "--hub-cmd", metavar="COMMAND", help="how to start the hub (default: manage.py serve)"
    )
    parser.add_argument("--database-url", metavar="URL", help="default: SQLite in a temporary folder")
    parser.add_argument("--redis-url", metavar="URL", default="", help="default: no Redis")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Run what was chosen, print the table, tell whether everything ran."""
    options = arguments(given)
    signal.signal(signal.SIGTERM, _leave)
    report = Report(machine=machine(), listeners=[lambda text: say(text, sys.stderr)])
    try:
        with tempfile.TemporaryDirectory(prefix="hub-bench-", ignore_cleanup_errors=True) as folder:
            _measure(options, Path(folder), report)
    except StartError as error:
        report.fail("start", str(error))
    except KeyboardInterrupt:
        report.fail("the rest", "interrupted")
    say(report.table())
    if options.json:
        report.write_json(options.json)
    return 1 if report.failures else 0


def _measure(options: argparse.Namespace, folder: Path, report: Report) -> None:
    setting = Setting(
        folder, hub_command=options.hub_cmd, database_url=options.database_url, redis_url=options.redis_url
    )
    (folder / "data").mkdir()
    chosen = options.only or ["start", *SCENARIOS]
    with setting.backend():
        setting.manage("migrate", "--noinput")
        setting.add_backend()
        with setting.hub() as (_, first):  # the first start makes what later ones find
            pass
        with setting.hub() as (pid, second):
            if "start" in chosen:
                report.add(
                    Line(
                        "Start",
                        "spawn until /healthz answers",
                        second,
                        "s",
                        note=f"the first one, with static files: {first:.1f} s",
                    )
                )
            asyncio.run(_run(options, setting, pid, chosen, report))


async def _run(
    options: argparse.Namespace, setting: Setting, pid: int, chosen: list[str], report: Report
) -> None:
    person = await Person.sign_in(setting.origin, USERNAME, PASSWORD)
    bench = Bench(person, pid, setting.backend_url, report, quick=options.quick)
    for name, run in SCENARIOS.items():
        if name not in chosen:
            continue
        say(f"{name} …", sys.stderr)
        try:
            async with asyncio.timeout(LIMIT):
                await run(bench)
        except Exception as error:  # one scenario that cannot run must not hide the others
            report.fail(name, f"{type(error).__name__}: {error}")
            say(f"  failed: {error!r}\n{setting.tail('hub')}", sys.stderr)
    await bench.leave_chats()
    await person.http.close()


def _leave(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

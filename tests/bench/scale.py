"""How fast pages and searches are for a person who has used the hub for a year: ``python -m tests.bench.scale``.

Makes a data folder of its own, fills it by ``manage.py seed_demo --scale``, and asks for each page through Django's
test client: the time is the server's, without network and browser. The bars are held against the processor's time,
which other work on the machine changes little; the clock's stands beside it. It is a measurement, not a test.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

#: Milliseconds that a page and a search may take.
PAGE, SEARCH = 100.0, 50.0
ROUNDS = 9

QUERIES = (
    "sourdough", "the", "bicycle python", '"difference between"', "ba", "s", "tides -garden", "tides from:me",
    "the has:code", "the tag:work", "garden project:thesis", "in:archive", "has:tool", "tag:home",
    "budget after:90d model:qwen", "nothinglikethis",
)  # fmt: skip


def main() -> int:
    """Measure; 1 where something took longer than it may."""
    options = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    options.add_argument("--conversations", type=int, default=2_000)
    options.add_argument("--messages", type=int, default=60_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-scale-") as folder:
        os.environ |= {
            "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "privatechathub.settings", "DATABASE_URL": "",
            "HUB_BUILTIN": "off", "DEBUG": "false", "ALLOWED_HOSTS": "*",
        }  # fmt: skip
        import django

        django.setup()
        return measure(given.conversations, given.messages)


def measure(conversations: int, messages: int) -> int:
    """Fill the hub, then time everything."""
    from django.core.management import call_command
    from django.test import Client

    from chat.models import Conversation
    from privatechathub.accounts.models import User

    call_command("prepare", verbosity=0)
    owner = User.objects.create_user("alice", password="x")
    began = time.perf_counter()
    call_command("seed_demo", "alice", conversations=conversations, messages=messages)
    say(f"made in {time.perf_counter() - began:.0f} s")
    browser = Client()
    browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    longest = max(Conversation.objects.all(), key=lambda row: row.messages.count())
    talk = longest.get_absolute_url()
    first = longest.messages.order_by("pk").first()
    pages = {
        "/": PAGE, talk: PAGE, f"{talk}?message={first.pk if first else 0}": PAGE, "/chat/sidebar/": PAGE,
        "/conversations/": PAGE, "/conversations/?in=archive": PAGE, "/conversations/?tag=work": PAGE,
        "/conversations/?page=30": PAGE, "/switcher/": PAGE, "/settings/": PAGE, "/transfer/": PAGE,
        f"{talk}settings/": PAGE,
    }  # fmt: skip
    slow = [path for path, bar in pages.items() if timed(path, bar, lambda path=path: browser.get(path))]
    from urllib.parse import quote

    for query in QUERIES:
        path = f"/search/quick/?q={quote(query)}"
        slow += [query] if timed(query, SEARCH, lambda path=path: browser.get(path)) else []
        timed(f"{query} (page)", PAGE, lambda path=path: browser.get(path.replace("quick/", "")))
    return 1 if slow else 0


def timed(name: str, bar: float, work: Callable[[], Any]) -> bool:
    """Say how long it takes, the median of some rounds; whether that is too long."""
    processor, clock = [], []
    for _ in range(ROUNDS):
        began, began_clock = time.process_time(), time.perf_counter()
        response = work()
        processor.append((time.process_time() - began) * 1e3)
        clock.append((time.perf_counter() - began_clock) * 1e3)
        assert response.status_code == 200, (name, response.status_code)
    took = statistics.median(processor)
    spread = f"by the clock {statistics.median(clock):.1f}, bar {bar:.0f}"
    say(f"{took:8.1f} ms  ({spread}){' SLOW' if took > bar else ''}  {name}")
    return took > bar


def say(line: str) -> None:
    """On the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""``manage.py serve``: prepare what is missing and serve the hub until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from backends.managed import ensure_builtin_backend
from chat.generation import runtime
from privatechathub.accounts import setup
from privatechathub.ops.memory import collect_rarely, use_few_arenas
from privatechathub.ops.sockets import send_at_once
from privatechathub.ops.static import static_is_current

#: Seconds after which a thread that renders a page lets the event loop go on; Python's own 5 ms would
#: show in every token that arrives meanwhile.
SWITCH_INTERVAL = 0.002


class Command(BaseCommand):
    """Serve the hub."""

    help = "Migrate, collect static files, and serve the hub under Daphne until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen; the environment's HOST and PORT are the defaults."""
        parser.add_argument("--host", default=settings.ENV.host)
        parser.add_argument("--port", type=int, default=settings.ENV.port)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, say where the hub is, serve."""
        refuse_taken_port(options["host"], options["port"])
        self.prepare()
        self.greet(options["host"], options["port"])
        serve(options["host"], options["port"])

    def prepare(self) -> None:
        """Bring database and static files up to date where they are not; the rest takes no time."""
        if not (static_is_current() and database_is_current()):
            prepare_apart()
        if user := setup.create_from_environment():
            self.stdout.write(f"Administrator {user.username} was made.")
        ensure_builtin_backend()

    def greet(self, host: str, port: int) -> None:
        """Where to go first."""
        shown = f"[{host}]" if ":" in host else host
        base = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else shown}:{port}"  # noqa: S104
        if setup.needed():
            self.stdout.write("Set up your hub with this one-time link:\n\n")
            self.stdout.write(f"    {base}/setup/{setup.token()}/\n\n")
        self.stdout.write(f"Private Chat Hub {settings.VERSION} is at {base}/  (Ctrl-C stops it)")
        self.stdout.flush()


def database_is_current() -> bool:
    """Whether all migrations are applied. Raises CommandError where the database cannot be used."""
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {error}") from error
    finally:
        connection.close()


def prepare_apart() -> None:
    """Migrate and collect in a process of their own: what that takes in memory is gone with it.

    Raises CommandError where it fails; the process has said why.
    """
    manage = Path(settings.BASE_DIR) / "manage.py"
    if subprocess.run([sys.executable, str(manage), "prepare"], check=False).returncode:
        raise CommandError("The hub could not be prepared; see above.")


def serve(host: str, port: int) -> None:
    """Run Daphne on uvloop where there is one; end all answers properly at the end."""
    install_uvloop()
    sys.setswitchinterval(SWITCH_INTERVAL)
    use_few_arenas()
    from daphne.endpoints import build_endpoint_description_strings
    from daphne.server import Server
    from twisted.internet import reactor

    from privatechathub.asgi import application

    logging.getLogger("daphne.server").addFilter(not_about_slow_closing)
    engine: Any = reactor
    engine.callWhenRunning(on_reactor(engine, runtime.start))
    engine.addSystemEventTrigger("before", "shutdown", on_reactor(engine, runtime.stop))
    send_at_once()
    collect_rarely()
    Server(
        application=application,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        server_name="hub",
        verbosity=0,
    ).run()


def on_reactor(reactor: Any, work: Callable[[], Coroutine[Any, Any, Any]]) -> Callable[[], Any]:
    """A coroutine function as Twisted calls it: it waits for the Deferred that comes back."""
    from twisted.internet import defer

    loop = reactor._asyncioEventloop  # noqa: SLF001
    return lambda: defer.Deferred.fromFuture(asyncio.ensure_future(work(), loop=loop))


def not_about_slow_closing(record: logging.LogRecord) -> bool:
    """Pages that go away in the middle of a request are ordinary, not worth a warning."""
    return "took too long to shut down" not in record.getMessage()


def install_uvloop() -> None:
    """uvloop halves what a token costs; where it isn't available asyncio's own loop serves.

    Must run before Daphne is imported: it makes Twisted's event loop on import.
    """
    try:
        import uvloop
    except ImportError:
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def refuse_taken_port(host: str, port: int) -> None:
    """Say plainly that another program listens there, or nobody can. Raises CommandError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            about_port = error.errno in {errno.EADDRINUSE, errno.EACCES}
            hint = (
                "Choose another port: PORT=8001 make run"
                if about_port
                else "HOST must be an address of this machine."
            )
            raise CommandError(f"Cannot listen on {host} port {port}: {error.strerror}. {hint}") from error

"""One period of service: a thread that starts the child, watches it, restarts it and ends it.

A thread and not a task: it works with any event loop in any thread (a loop outside the main thread
and Twisted's cannot watch children reliably), and the kernel ends the child with this very thread.
"""

from __future__ import annotations

import http.client
import logging
import queue
import re
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backends.adapters.base import Secret
from backends.builtin.child import Child
from backends.builtin.facts import CONTEXT_LENGTH, SLOTS
from backends.builtin.installation import Installation
from backends.builtin.log import BoundedLog
from backends.builtin.state import Address, BuiltinUnavailable, Deaths, Policy, State, Status
from backends.builtin.usage import Usage

logger = logging.getLogger(__name__)

#: Seconds between two questions to /health, and for its answer.
_POLL = 0.05
_HEALTH_TIMEOUT = 2.0

#: llama.cpp marks its errors with an E of their own; the first one says most.
_ERROR = re.compile(r"\bE\b|[Ee]rror")


@dataclass(frozen=True, slots=True)
class _Url:
    """The child says where it serves."""

    url: str


@dataclass(frozen=True, slots=True)
class _Ended:
    """The child's output has ended."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """Somebody wants it to stop."""


@dataclass(frozen=True, slots=True)
class _Wake:
    """Look at the use again."""


_Note = _Url | _Ended | _Stop | _Wake


class _Stopped(Exception):
    """Asked to stop, or idle."""


class _Died(Exception):
    """The child is of no use any more; the text says how it came."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run, where its log goes, and how patiently."""

    installation: Installation
    log_file: Path
    command: Sequence[str]
    policy: Policy
    port: int = 0


class Supervisor(threading.Thread):
    """Starts with the thread, ends with a status of ``stopped`` or ``failed``.

    ``lock`` guards the decision to stop against a start that comes at the same moment.
    """

    def __init__(self, plan: Plan, usage: Usage, deaths: Deaths, lock: threading.Lock) -> None:
        super().__init__(name="builtin-server", daemon=True)
        self.ended: Future[None] = _future()
        self.stopping = False
        self.status = Status(State.STARTING)
        self._plan = plan
        self._usage = usage
        self._deaths = deaths
        self._lock = lock
        self._notes: queue.SimpleQueue[tuple[int, _Note]] = queue.SimpleQueue()
        self._life = 0  # notes of an earlier child are ignored
        self._served = False
        self._ready: Future[Address] = _future()

    @property
    def ready(self) -> Future[Address]:
        """Where the server is, as soon as it serves. Fails with BuiltinUnavailable."""
        return self._ready

    def ask_stop(self) -> None:
        """End soon. With the lock held."""
        self.stopping = True
        self._note(_Stop())

    def wake(self) -> None:
        """The use has changed."""
        self._note(_Wake())

    def run(self) -> None:
        """The thread's work."""
        try:
            with BoundedLog(self._plan.log_file) as log:
                self._serve(log)
        except _Stopped:
            self._finish(Status(State.STOPPED), "The built-in model was stopped.")
        except OSError as error:
            self._fail(f"its program or its log could not be opened: {error}", ())
        except BaseException as error:
            self._fail(f"of an error in the hub: {type(error).__name__}", ())
            raise
        finally:
            self.ended.set_result(None)

    def _serve(self, log: BoundedLog) -> None:
        while True:
            self._life += 1
            try:
                self._live(log)
            except _Died as death:
                self._deaths.add()
                if not self._served or self._deaths.too_many:
                    self._fail(str(death), log.last_lines())
                    return
                logger.warning("The built-in model's server is restarted: %s.", death)
                self._pause(self._deaths.pause())

    def _live(self, log: BoundedLog) -> None:
        key = Secret(secrets.token_urlsafe(32))
        life = self._life
        with Child(
            self._plan.command,
            self._order(key),
            log,
            grace=self._plan.policy.grace,
            on_url=lambda url: self._note(_Url(url), life),
            on_end=lambda: self._note(_Ended(), life),
        ) as child:
            url = self._wait_until_healthy(child)
            self._running(Address(f"{url}/v1", key), child.pid)
            try:
                self._watch(child)
            except _Died:
                self._starting()
                raise

    def _order(self, key: Secret) -> dict[str, Any]:
        installation = self._plan.installation
        return {
            "engine": str(installation.engine),
            "model": str(installation.model_file),
            "alias": installation.model.id,
            "context": CONTEXT_LENGTH,
            "slots": SLOTS,
            "tuned": not installation.own,
            "port": self._plan.port,
            "api_key": key.reveal(),
        }

    def _wait_until_healthy(self, child: Child) -> str:
        deadline = time.monotonic() + self._plan.policy.ready
        url = ""
        while not url or not is_healthy(url):
            left = deadline - time.monotonic()
            if left <= 0:
                raise _Died(f"it was not ready within {self._plan.policy.ready:g} seconds")
            note = self._next_note(child, min(_POLL, left) if url else left)
            if isinstance(note, _Url):
                url = note.url
        return url

    def _watch(self, child: Child) -> None:
        idle = self._plan.policy.idle
        while True:
            unused = self._usage.idle_for()
            if unused is not None and unused >= idle and self._may_rest(idle):
                raise _Stopped
            self._next_note(child, idle if unused is None else max(idle - unused, 0.001))

    def _may_rest(self, idle: float) -> bool:
        """Whether it is still unused now that nobody can come in between."""
        with self._lock:
            unused = self._usage.idle_for()
            if unused is None or unused < idle:
                return False
            self.stopping = True
            return True

    def _next_note(self, child: Child, timeout: float) -> _Note | None:
        try:
            life, note = self._notes.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(note, _Stop):
            raise _Stopped
        if isinstance(note, _Ended) and life == self._life:
            raise _Died(child.wait())
        return note if life == self._life else None

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                _, note = self._notes.get(timeout=left)
            except queue.Empty:
                return
            if isinstance(note, _Stop):
                raise _Stopped

    def _note(self, note: _Note, life: int | None = None) -> None:
        self._notes.put((self._life if life is None else life, note))

    def _starting(self) -> None:
        with self._lock:
            self._ready = _future()
            self.status = Status(State.STARTING)

    def _running(self, address: Address, pid: int) -> None:
        self._usage.touch()
        with self._lock:
            self._served = True
            self.status = Status(State.RUNNING, address, pid=pid)
        self._ready.set_result(address)

    def _fail(self, reason: str, log: tuple[str, ...]) -> None:
        status = Status(State.FAILED, problem=self._sentence(reason, log), log=log)
        self._finish(status, status.problem)

    def _finish(self, status: Status, message: str) -> None:
        with self._lock:
            self.stopping = True
            self.status = status
        if not self._ready.done():
            self._ready.set_exception(BuiltinUnavailable(message))

    def _sentence(self, reason: str, log: Sequence[str]) -> str:
        if self._served:
            minutes = self._plan.policy.window / 60
            start = f"The built-in model ended {self._deaths.recent()} times within {minutes:g} minutes; the last time"
        else:
            start = "The built-in model did not start:"
        clue = next(filter(_ERROR.search, log), "")
        return f"{start} {reason}." + (f" Its log says: {clue}" if clue else "")


def is_healthy(url: str) -> bool:
    """``/health`` answers 200. Blocks for two seconds at most."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_HEALTH_TIMEOUT)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _future() -> Future[Any]:
    """One that a waiter who gives up cannot cancel for the others."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future

"""The built-in server as the hub sees it: there when it is needed, gone when it is not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from backends.adapters.base import ModelInfo, Secret
from backends.builtin.child import SERVER_COMMAND
from backends.builtin.facts import SMOLLM2
from backends.builtin.installation import Installation, folder, installed
from backends.builtin.state import Address, BuiltinUnavailable, Deaths, Policy, State, Status
from backends.builtin.supervisor import Plan, Supervisor
from backends.builtin.usage import Usage

T = TypeVar("T")

_ABSENT = "The built-in model is not there: it has not been fetched yet, or its file is gone."
_ABSENT_HINT = "Run `python -m backends.builtin.fetch`, or check HUB_BUILTIN_MODEL."


class BuiltinServer:
    """Starts the child when it is first needed. Bound to no event loop; safe to use from all threads.

    Each hub process has its own child. ``port`` 0 lets the child take any free one.
    """

    def __init__(
        self,
        data_dir: Path,
        model: Path | str | None = None,
        *,
        policy: Policy | None = None,
        command: Sequence[str] = SERVER_COMMAND,
        port: int = 0,
    ) -> None:
        self.log_file = folder(data_dir) / "server.log"
        self._data_dir = data_dir
        self._own_model = model
        self._policy = policy or Policy()
        self._command = command
        self._port = port
        self._usage = Usage()
        self._deaths = Deaths(self._policy)
        self._lock = threading.Lock()
        self._supervisor: Supervisor | None = None

    # What can be asked at any time, without waiting.

    @property
    def installation(self) -> Installation | None:
        """The parts on the disk, or ``None`` where one is missing."""
        return installed(self._data_dir, self._own_model)

    @property
    def model(self) -> ModelInfo:
        """What the catalogue says of the model."""
        installation = self.installation
        return installation.model if installation else SMOLLM2

    @property
    def status(self) -> Status:
        """State, address, problem and last log lines, all of the same moment."""
        supervisor = self._supervisor
        if supervisor is not None and supervisor.status.state is not State.STOPPED:
            return supervisor.status
        return Status(State.STOPPED if self.installation else State.ABSENT)

    @property
    def state(self) -> State:
        """absent, stopped, starting, running or failed."""
        return self.status.state

    @property
    def url(self) -> str | None:
        """The base URL, ``http://127.0.0.1:PORT/v1``, while it runs."""
        address = self.status.address
        return address.url if address else None

    @property
    def api_key(self) -> Secret:
        """The key of the child that runs now; empty otherwise."""
        address = self.status.address
        return address.api_key if address else Secret()

    # What starts, keeps and ends it.

    async def start(self) -> None:
        """Start it, or share the start that is under way. Raises BuiltinUnavailable."""
        await self._address()

    async def endpoint(self) -> tuple[str, Secret]:
        """The base URL and the key; starts the server if needed. Counts as use."""
        self.touch()
        address = await self._address()
        return address.url, address.api_key

    @asynccontextmanager
    async def use(self) -> AsyncIterator[tuple[str, Secret]]:
        """The endpoint, and no idle stop as long as this lasts."""
        with self._usage.hold():
            yield await self.endpoint()

    def touch(self) -> None:
        """It is used: the idle time begins anew."""
        self._usage.touch()

    def forget_failures(self) -> None:
        """Let the next start try at once, however often it died (a person asked for it)."""
        self._deaths.forget()

    async def stop(self) -> None:
        """End the child and wait until it is gone. It can be started again."""
        supervisor = self._ask_stop()
        if supervisor is not None:
            await _wait(supervisor.ended)

    def stop_now(self) -> None:
        """The same for code without an event loop; blocks for the grace time at most."""
        supervisor = self._ask_stop()
        if supervisor is not None:
            supervisor.join()

    def _ask_stop(self) -> Supervisor | None:
        with self._lock:
            if self._supervisor is not None:
                self._supervisor.ask_stop()
            return self._supervisor

    async def _address(self) -> Address:
        while True:
            with self._lock:
                supervisor = self._supervisor
                if supervisor is None or supervisor.ended.done():
                    supervisor = self._supervise()
                if not supervisor.stopping:
                    ready = supervisor.ready
                    break
            await _wait(supervisor.ended)
        return await _wait(ready)

    def _supervise(self) -> Supervisor:
        installation = self.installation
        if installation is None:
            raise BuiltinUnavailable(_ABSENT, hint=_ABSENT_HINT)
        if self._deaths.too_many and self._supervisor is not None:
            raise BuiltinUnavailable(self._supervisor.status.problem)
        self._usage.touch()
        plan = Plan(installation, self.log_file, self._command, self._policy, self._port)
        self._supervisor = Supervisor(plan, self._usage, self._deaths, self._lock)
        self._usage.on_release = self._supervisor.wake
        self._supervisor.start()
        return self._supervisor


async def _wait(future: Future[T]) -> T:
    return await asyncio.wrap_future(future)

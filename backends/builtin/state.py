"""What can be said of the built-in server at a moment, and how patient one is with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from backends.adapters.base import Secret
from backends.adapters.errors import CannotConnect, gettext_noop


class State(StrEnum):
    """``absent``: the parts are not in the data folder."""

    ABSENT = "absent"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is, and its key. Both change with each start."""

    url: str
    api_key: Secret


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot. ``problem`` is a sentence, ``log`` the child's last lines; both with ``failed`` only."""

    state: State
    address: Address | None = None
    problem: str = ""
    log: tuple[str, ...] = ()
    pid: int | None = None


class BuiltinUnavailable(CannotConnect):
    """The built-in server does not run and cannot be started now."""

    default_hint = gettext_noop(
        "The built-in model does not run. Its log is builtin/server.log in the data folder."
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds, unless it says otherwise."""

    #: Until a new child has loaded its model: a large file of one's own may lie on a slow disk.
    ready: float = 120.0
    #: Without use, until the child is stopped (it keeps some 260 MB).
    idle: float = 15 * 60.0
    #: Between SIGTERM and SIGKILL.
    grace: float = 3.0
    #: Times that it may die within the window before it is left alone for the rest of the window.
    deaths: int = 4
    window: float = 10 * 60.0
    #: Pause before the first restart; doubled for each further death within the window.
    backoff: float = 0.5
    backoff_limit: float = 30.0


@dataclass(slots=True)
class Deaths:
    """Remembers how often the child died lately."""

    policy: Policy
    clock: Callable[[], float] = time.monotonic
    _times: list[float] = field(default_factory=list)

    def add(self) -> None:
        """It died now."""
        self._times.append(self.clock())

    def recent(self) -> int:
        """Deaths within the window."""
        oldest = self.clock() - self.policy.window
        self._times = [moment for moment in self._times if moment > oldest]
        return len(self._times)

    @property
    def too_many(self) -> bool:
        """It should be left alone."""
        return self.recent() >= self.policy.deaths

    def pause(self) -> float:
        """How long to wait before the next restart."""
        doublings = max(self.recent() - 1, 0)
        return float(min(self.policy.backoff * 2**doublings, self.policy.backoff_limit))

    def forget(self) -> None:
        """Start anew with a clean sheet."""
        self._times.clear()

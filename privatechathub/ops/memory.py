"""Memory of a process with many short-lived threads."""

from __future__ import annotations

import ctypes
import sys

#: glibc's option of mallopt(3) for the number of arenas.
M_ARENA_MAX = -8
ARENAS = 2


def use_few_arenas() -> None:
    """Have glibc keep two heaps instead of eight a core.

    Every page is rendered in a thread of its own for a few milliseconds; each would get a heap that
    never shrinks again, some 30 MB in all. Elsewhere than on Linux with glibc this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
    except (AttributeError, OSError):
        return

"""Memory of a process with many threads and a large, unchanging part."""

from __future__ import annotations

import ctypes
import gc
import sys

#: glibc's option of mallopt(3) for the number of arenas.
M_ARENA_MAX = -8
ARENAS = 2


def use_few_arenas() -> None:
    """Have glibc keep two heaps instead of eight a core.

    Pages are rendered in several threads for a few milliseconds each; each would get a heap that
    never shrinks again, some 30 MB in all. Elsewhere than on Linux with glibc this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
    except (AttributeError, OSError):
        return


def collect_rarely() -> None:
    """Keep what the start made out of the garbage collector's sight, and look for cycles less often.

    Django's classes, patterns and catalogues are some 300,000 objects that stay for ever; with Python's own
    thresholds a few hundred tokens make the collector walk over young ones, and a page over all of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(25_000, 20, 20)

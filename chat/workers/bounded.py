"""Run one worker in bounds: ``python -I bounded.py WORKER.py [ARGUMENT …]``, standard input to standard output.

Memory and processor time are limited; it connects to nothing, starts no other program and writes no file.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import Any

#: Events of the interpreter (PEP 578) that no reading of a file needs.
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "shutil.",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def main() -> None:
    """The worker, bounded as it says itself."""
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # ``-I`` leaves it out
    sys.dont_write_bytecode = True
    worker = runpy.run_path(sys.argv[1])
    bound(worker["MEMORY"], worker["PROCESSOR_SECONDS"])
    sys.stdout.buffer.write(worker["answer"](sys.stdin.buffer.read(), *sys.argv[2:]))


def bound(memory: int, seconds: int) -> None:
    """This process from now on: bytes of address space and seconds of processor time, where they can be bounded."""
    sys.addaudithook(refuse)
    try:
        import resource
    except ImportError:  # Windows; the parent's timer still ends us
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Hears of everything that the interpreter does. Raises PermissionError."""
    if event.startswith(_FORBIDDEN) or (event == "open" and arguments[2] & _WRITING):
        raise PermissionError(event)


if __name__ == "__main__":
    main()

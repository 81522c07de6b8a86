"""This process: its name among the processes of one database, its memory, and pauses too short to notice.

A large sheet is read and planned in threads beside the loop. Two properties of CPython still make the loop wait. A
computing thread keeps the interpreter for 5 ms each time, and one answer waits for dozens of these. And a full run of
the garbage collector stops everything while it visits every object: for a plan of a hundred thousand numbers that takes
0.2 s of computing and more, about twenty times while the plan is made. A plan has hardly any cycles, so these runs find
nothing.
"""

from __future__ import annotations

import ctypes
import gc
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bot.machine import unique

#: Seconds for which a computing thread keeps the interpreter.
SWITCH: Final = 0.001
#: gc thresholds: generation 0 after 10,000 new objects, generation 1 after 5 of those, generation 2 after 200 of those.
#: Cycles die young, and full runs come about a hundred times more rarely than by default.
COLLECT: Final = (10_000, 5, 200)
#: Freed pieces of memory from this size on return to the system at once, in bytes. By default, glibc raises that to as
#: much as 32 MB once such a piece was freed, and keeps smaller pieces for each thread.
LARGE: Final = 256 * 1024
#: glibc's numbers for that, and for the number of places in which it keeps free memory (malloc.h).
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8


def replica_name(unique: Callable[[], str] = unique) -> str:
    """Return a name that no other process has or had; claims, logs and metrics use it."""
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{unique()[:8]}"


def keep_little() -> None:
    """Return freed memory to the system from now on, if the C library is glibc; others have no such function."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_ARENA_MAX, 1)


@contextmanager
def short_pauses() -> Iterator[None]:
    """Keep the pauses short until the block ends, then restore the defaults."""
    switch, collect = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH)
    gc.set_threshold(*COLLECT)
    gc.freeze()  # imported objects stay, so no full run has to visit them again
    try:
        yield
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*collect)
        gc.unfreeze()

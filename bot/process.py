"""This process: its name among those that work on one database, its memory, and its pauses, so short that nobody waits.

A large sheet is read and planned in threads beside the loop. Two things of CPython's make the loop wait all the same:
a thread that computes keeps the interpreter for 5 ms each time, of which one answer costs dozens; and a full run of the
garbage collector stops everything for as long as it takes to look at every object that a plan of a hundred thousand
numbers consists of, 0.2 s of computing and more, about twenty times while such a plan is made. There are next to no
cycles in a plan, so it finds nothing.
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

#: Seconds for which a thread that computes keeps the interpreter.
SWITCH: Final = 0.001
#: Objects more than before until the young ones are looked at, and how many such looks make one at older ones, and at
#: all. What cycles there are die young; a look at all comes about a hundred times more seldom than by default. One at
#: older ones takes as long as there are looks before it.
COLLECT: Final = (10_000, 5, 200)
#: Bytes from which on a piece of memory is the system's again as soon as it is free. By itself glibc raises that to as
#: much as 32 MB once such a piece was freed, and keeps for each thread what is smaller.
LARGE: Final = 256 * 1024
#: glibc's numbers for that, and for in how many places it keeps what is free (malloc.h).
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8


def replica_name(unique: Callable[[], str] = unique) -> str:
    """Return a name that no other process has, nor had: claims, logs and metrics tell by it who did what."""
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{unique()[:8]}"


def keep_little() -> None:
    """Give free memory back to the system, from now on, where the C library is glibc; others have no such word."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_ARENA_MAX, 1)


@contextmanager
def short_pauses() -> Iterator[None]:
    """Keep the pauses short until the block ends; then it is as before."""
    switch, collect = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH)
    gc.set_threshold(*COLLECT)
    gc.freeze()  # what was imported stays, so no look at all objects has to come by it again
    try:
        yield
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*collect)
        gc.unfreeze()

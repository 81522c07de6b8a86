"""What the interpreter and the C library do by themselves."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

import pytest

from bot.process import COLLECT, SWITCH, short_pauses

#: Frees a large piece of memory, then uses as much again in small ones, and says how many MiB stay when all is free.
FREEING = """
from bot.process import keep_little

def used():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 // 2**20

keep_little()
large = b"1" * (24 * 2**20)
del large
before = used()
pieces = [b"1" * 2**20 for _ in range(40)]
del pieces
print(used() - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_free_memory_is_given_back() -> None:
    """What a large change needed for a while is not the bot's for ever."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", FREEING], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 10


def test_pauses_are_short_only_while_the_bot_runs() -> None:
    """What is set for the bot is as before afterwards, also when it broke."""
    before = sys.getswitchinterval(), gc.get_threshold()

    def run_and_break() -> None:
        with short_pauses():
            {}["broken"]

    with short_pauses():
        assert (sys.getswitchinterval(), gc.get_threshold()) == (SWITCH, COLLECT)
        assert gc.get_freeze_count() > 0
    with pytest.raises(KeyError):
        run_and_break()

    assert (sys.getswitchinterval(), gc.get_threshold()) == before
    assert gc.get_freeze_count() == 0

"""``linesman serve`` with a watch on its loop: ``python -m tests.benchmarks.steps FILE`` writes long steps into FILE.

A step is what the loop does between two looks at what else is due: while it lasts, nobody is answered. What it took by
the clock includes waiting for the machine and for threads beside it; what it computed itself does not.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# Where a test's dependency has brought numpy, openpyxl loads it. The image has none, so its memory is not Linesman's.
sys.modules["numpy"] = None  # type: ignore[assignment] # as the import system has it: there is none

from bot.cli import main  # noqa: E402 - after that

#: Seconds from which on a step is written down.
LONG: Final = 0.01


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the loop."""

    #: Seconds since the epoch at which it ended, that it took, and that it computed.
    at: float
    took: float
    computed: float
    #: The task, and where it is now.
    what: str


def longest(file: Path, since: float = 0.0) -> Step | None:
    """Return the longest of the long steps that ended after ``since``."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return max((step for line in lines if (step := Step(**json.loads(line))).at >= since), key=_took, default=None)


def _took(step: Step) -> float:
    return step.took


def watch(file: Path) -> None:
    """Write every long step of this process's loops into ``file``."""
    run = asyncio.Handle._run  # there is no public place at which every step comes by

    def watched(handle: asyncio.Handle) -> None:
        began, busy = time.perf_counter(), time.thread_time()
        run(handle)
        if (took := time.perf_counter() - began) >= LONG:
            computed = time.thread_time() - busy
            line = {"at": time.time(), "took": took, "computed": computed, "what": _what(handle)}
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")

    asyncio.Handle._run = watched  # type: ignore[method-assign]


def _what(handle: Any) -> str:
    """Return which task took the step, and where it stopped."""
    called = getattr(handle, "_callback", None)
    task = getattr(called, "__self__", None)
    if not isinstance(task, asyncio.Task):
        # Never its repr: to write down an answer of aiohttp's before its headers have come makes it lose them.
        return getattr(called, "__qualname__", type(called).__qualname__)
    names, inner = [], task.get_coro()
    while inner is not None:
        code = getattr(inner, "cr_code", None) or getattr(inner, "ag_code", None)
        names += [code.co_qualname] if code is not None else []
        inner = getattr(inner, "cr_await", None) or getattr(inner, "ag_await", None)
    return " > ".join(names) or "a task that ended"


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
    sys.exit(main(["serve"]))

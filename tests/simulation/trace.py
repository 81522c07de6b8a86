"""What happened, in order, and one hash over all of it."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TextIO

#: The latest steps, which are told of a world that fails.
KEPT: Final = 400


class Trace:
    """The steps of one world; with ``out`` each is written there as well."""

    def __init__(self, now: Callable[[], float], out: TextIO | None = None) -> None:
        self._now = now
        self._out = out
        self._hash = hashlib.sha256()
        self.steps = 0
        self.latest: deque[str] = deque(maxlen=KEPT)

    def add(self, step: str) -> None:
        """Note one step."""
        line = f"{self._now():.6f} {step}"
        self.steps += 1
        self._hash.update(line.encode() + b"\n")
        self.latest.append(line)
        if self._out is not None:
            self._out.write(line + "\n")

    @property
    def hash(self) -> str:
        """The hash over all steps so far."""
        return self._hash.hexdigest()[:16]


class Told(list[Any]):
    """A log of a stand-in whose entries go into the trace as well."""

    def __init__(self, trace: Trace, describe: Any) -> None:
        super().__init__()
        self._trace = trace
        self._describe = describe

    def append(self, entry: Any) -> None:
        """Note an entry."""
        super().append(entry)
        self._trace.add(self._describe(entry))


def brief(given: object) -> str:
    """Return a short text that differs where ``given`` does."""
    return f"{zlib.crc32(repr(given).encode()):08x}"

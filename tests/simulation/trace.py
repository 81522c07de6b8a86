"""What happened, in order, and one hash over all of it."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Final, TextIO

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

"""One life of the process after another: whatever runs in a life's context ends with it, wherever it is."""

from __future__ import annotations

import contextvars
from typing import Final


class Life:
    """One life of the process."""

    def __init__(self, number: int) -> None:
        self.number = number
        #: Whether it was killed: nothing of it runs any more.
        self.over = False


#: Whose code is running; None for the world around the process.
LIFE: Final[contextvars.ContextVar[Life | None]] = contextvars.ContextVar("life", default=None)

"""Whether what is being done is still this replica's to do.

A replica that is stopped, or cut off from the database, for longer than its claims last loses them to others, who
finish what it was at. When it goes on, it is in the midst of that: what has an effect asks here just before it goes
out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

_HELD: Final[ContextVar[Callable[[], bool]]] = ContextVar("linesman_claim", default=lambda: True)


def begin(held: Callable[[], bool]) -> None:
    """Begin claimed work in this task of asyncio; ``held`` tells whether the claim lasts."""
    _HELD.set(held)


def is_held() -> bool:
    """Tell whether nobody else can have taken over what this task of asyncio does; true of what nobody claims."""
    return _HELD.get()()

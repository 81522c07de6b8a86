"""Whether the work in hand still belongs to this replica.

A replica that is stopped, or cut off from the database, for longer than its claims last loses them to others, which
finish its work. When it resumes, it is in the middle of that work. So everything with an effect checks here just before
it goes out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

_HELD: Final[ContextVar[Callable[[], bool]]] = ContextVar("linesman_claim", default=lambda: True)


def begin(held: Callable[[], bool]) -> None:
    """Begin claimed work in this asyncio task; ``held`` tells whether the claim lasts."""
    _HELD.set(held)


def is_held() -> bool:
    """Tell whether nobody else can have taken over this asyncio task's work; true for work without a claim."""
    return _HELD.get()()

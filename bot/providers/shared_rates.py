"""A provider's allowance where several replicas call it: each takes a few calls at a time from the common one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from bot.changes.model.call_grants import CallGrant

#: Seconds before the end of a window in which the rest of a portion is no longer used: it might arrive after it.
TOO_LATE: Final = 0.2


class SharedRates(Protocol):
    """The common allowance. It handles its own failures: it then grants calls, and only each replica's pace is left."""

    async def take(self, scope: str, most: int) -> CallGrant:
        """Take a few calls for callers in ``scope`` with the limit ``most``; 0 while that is unknown."""

    async def learn(self, scope: str, most: int, remaining: int, reset: float) -> None:
        """Take in the limit in an answer."""

    async def untold(self, scope: str) -> None:
        """Take in that an answer told no limit."""

    async def close(self, scope: str, most: int, seconds: float) -> None:
        """Allow no calls for ``seconds``."""


@dataclass(slots=True)
class _Portion:
    """This replica's portion of one allowance."""

    calls: int = 0
    good_until: float = -math.inf
    #: The end of the window as last reported to the others, and what was left of it by the last answer.
    ends_at: float = -math.inf
    remaining: float = math.inf
    told: bool = False


class SharedPace:
    """Hands out the calls taken for this replica, and reports facts in its answers that the others cannot know."""

    def __init__(self, rates: SharedRates, now: Callable[[], float]) -> None:
        self._rates = rates
        self._now = now
        self._portions: dict[tuple[str, int], _Portion] = {}

    async def take(self, scope: str, limit: float) -> float:
        """Take one call and return 0, or return the seconds to wait before asking again."""
        most = _whole(limit)
        portion = self._portions.setdefault((scope, most), _Portion())
        if portion.calls <= 0 or self._now() >= portion.good_until:
            grant = await self._rates.take(scope, most)
            if not grant.calls:
                return max(grant.seconds, 0.01)
            portion.calls, portion.good_until = grant.calls, self._now() + grant.seconds - TOO_LATE
        portion.calls -= 1
        return 0.0

    async def learn(self, scope: str, limit: float, remaining: float | None, reset: float | None) -> None:
        """Report the limit in an answer if it is new, as that costs a read of the common allowance."""
        most, now = _whole(limit), self._now()
        portion = self._portions.setdefault((scope, most), _Portion())
        if not most or remaining is None or reset is None:
            if not portion.told:
                portion.told = True
                await self._rates.untold(scope)
            return
        another, less = now + reset > portion.ends_at + TOO_LATE / 4, remaining < portion.remaining - 1
        if another or less:
            portion.ends_at = max(portion.ends_at, now + reset)
            await self._rates.learn(scope, most, int(remaining), reset)
        portion.remaining = remaining

    async def close(self, scope: str, limit: float, seconds: float) -> None:
        """Report that the provider asks us to wait."""
        await self._rates.close(scope, _whole(limit), seconds)


def _whole(limit: float) -> int:
    return int(limit) if math.isfinite(limit) else 0

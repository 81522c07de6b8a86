"""A provider's allowance where several replicas call it: each takes a few calls at a time out of the common one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from bot.changes.model.call_grants import CallGrant

#: Seconds before the end of a window in which what is left of a portion is not used any more: it might arrive after it.
TOO_LATE: Final = 0.2


class SharedRates(Protocol):
    """The common allowance. Its own failures are its own: it grants then, and each replica's pace is what is left."""

    async def take(self, scope: str, most: int) -> CallGrant:
        """Take a few calls for those in ``scope`` whose limit is ``most``; 0 when that is not known."""

    async def learn(self, scope: str, most: int, remaining: int, reset: float) -> None:
        """Take in what an answer of just now told."""

    async def untold(self, scope: str) -> None:
        """Take in that an answer told nothing."""

    async def close(self, scope: str, most: int, seconds: float) -> None:
        """Let nobody call for ``seconds``."""


@dataclass(slots=True)
class _Portion:
    """What this replica has in hand of one allowance."""

    calls: int = 0
    good_until: float = -math.inf
    #: When the window ends as far as this replica has told the others, and what was left of it by the last answer.
    ends_at: float = -math.inf
    remaining: float = math.inf
    told: bool = False


class SharedPace:
    """Hands out what was taken for this replica, and passes on what its answers tell and the others cannot know."""

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
        """Pass on what an answer of just now told, where it is news: that costs a look at the common allowance."""
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
        """Pass on that the provider asks to wait."""
        await self._rates.close(scope, _whole(limit), seconds)


def _whole(limit: float) -> int:
    return int(limit) if math.isfinite(limit) else 0

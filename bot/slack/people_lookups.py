"""Shared lookups in Slack: a view may use a minute-old answer, a decision asks again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bot.errors import DeliveryError, DeliveryPostponed, DeliveryRefused, TokenLost

#: How long an answer is used for views, in seconds.
TTL: Final = 60.0
#: How long an answer is remembered for actions that must work while Slack does not answer, in seconds. A person looked
#: up every few minutes is known all that time.
MEMORY: Final = 900.0
#: Longest wait for Slack's limits that a lookup accepts, in seconds. If it would take longer, the person who clicked is
#: told, and nothing is done.
PATIENCE: Final = 6.0
#: Most keys that are remembered; older ones are forgotten.
ROOM: Final = 5000

_Answer = TypeVar("_Answer")


class LookupPace:
    """Lets ``burst`` lookups begin at once, and then one every ``step`` seconds.

    This keeps Slack's limit for the method; the more people ask at once, the more of them share one lookup.
    """

    def __init__(self, burst: int, step: float, now: Callable[[], float]) -> None:
        self._slack = (burst - 1) * step
        self._step = step
        self._now = now
        #: When the next lookup would be due if all had come one ``step`` after another.
        self._due = now()

    async def take(self) -> None:
        """Wait for a turn; raises DeliveryPostponed when that would take too long."""
        now = self._now()
        begins = max(now, self._due - self._slack)
        if begins - now > PATIENCE:
            raise DeliveryPostponed("There are too many requests to Slack right now.", wait=begins - now)
        self._due = max(self._due, begins) + self._step
        await asyncio.sleep(begins - now)


@dataclass(frozen=True, slots=True)
class _Known(Generic[_Answer]):
    """The result of the latest lookup of a key."""

    #: The number of the lookup: a smaller one began earlier.
    began: int
    #: Until when a view may use it.
    until: float
    answer: _Answer | DeliveryError
    #: The latest answer that was not a fault of Slack's, and its time; None without one.
    last: tuple[_Answer, float] | None


class PeopleLookups(Generic[_Answer]):
    """Asks Slack about things by their key, one lookup per key at a time."""

    def __init__(
        self, ask: Callable[[str], Awaitable[_Answer]], now: Callable[[], float], turns: LookupPace | None = None
    ) -> None:
        self._ask = ask
        self._now = now
        self._turns = turns
        self._order = itertools.count()
        self._known: dict[str, _Known[_Answer]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def shown(self, key: str) -> _Answer:
        """Return an answer for a view, up to a minute old. Failures are not kept."""
        known = self._known.get(key)
        if known is not None and known.until > self._now() and not isinstance(known.answer, DeliveryError):
            return known.answer
        return await self.fresh(key)

    async def fresh(self, key: str) -> _Answer:
        """Return the answer of a lookup that begins after this call; all waiting callers share it, and its failure."""
        came = next(self._order)
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._known.get(key)
            if known is None or known.began < came:
                known = await self._ask_anew(key)
        if isinstance(known.answer, DeliveryError):
            raise known.answer
        return known.answer

    def remembered(self, key: str) -> tuple[_Answer, float] | None:
        """Return the latest answer and its age in seconds; None if it is too old, or Slack has refused since."""
        known = self._known.get(key)
        if known is None or known.last is None:
            return None
        answer, at = known.last
        age = self._now() - at
        return (answer, age) if age <= MEMORY else None

    async def _ask_anew(self, key: str) -> _Known[_Answer]:
        answer: _Answer | DeliveryError
        waited = 0.0
        while True:
            began = next(self._order)
            try:
                if self._turns is not None:
                    await self._turns.take()
                    began = next(self._order)
                answer = await self._ask(key)
            except DeliveryPostponed as error:
                waited += error.wait
                if waited <= PATIENCE:
                    await asyncio.sleep(error.wait)
                    continue
                answer = error
            except DeliveryError as error:
                answer = error
            known = _Known(began, self._now() + TTL, answer, self._last(answer, self._known.pop(key, None)))
            self._known[key] = known
            self._forget()
            return known

    def _last(self, answer: _Answer | DeliveryError, before: _Known[_Answer] | None) -> tuple[_Answer, float] | None:
        if not isinstance(answer, DeliveryError):
            return answer, self._now()
        # A refusal is Slack's answer about the key, so the old answer is forgotten. A lost token, or silence, says
        # nothing about the key.
        told = isinstance(answer, DeliveryRefused) and not isinstance(answer, TokenLost)
        return None if told or before is None else before.last

    def _forget(self) -> None:
        while len(self._known) > ROOM:
            oldest = next(iter(self._known))
            del self._known[oldest]
            if not self._locks[oldest].locked():
                del self._locks[oldest]

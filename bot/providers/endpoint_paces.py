"""Letting each request to a provider go at its turn."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import httpx

from bot.errors import RateLimited
from bot.providers.pacing import EndpointPace, allowance
from bot.providers.shared_rates import SharedPace
from bot.telemetry.call_times import CallTimes


class EndpointPaces:
    """The pace of each endpoint group, according to its answers: our own, and the one shared by replicas.

    ``shared`` is the allowance shared with other replicas; None without others. ``by_endpoint`` tells whether the
    provider counts each endpoint group separately; otherwise, and if unknown, all count together.
    """

    def __init__(
        self,
        title: str,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        calls: CallTimes,
        shared: SharedPace | None,
        by_endpoint: bool,
    ) -> None:
        self._title = title
        self._now = now
        self._sleep = sleep
        self._calls = calls
        self._shared = shared
        self._by_endpoint = by_endpoint
        self._paces: dict[tuple[str, str], EndpointPace] = {}

    def rate(self, method: str, path: str) -> float:
        """Return how many requests per second the endpoint group allows; 0 before its answers have told."""
        pace = self._paces.get((method, path))
        return pace.rate if pace else 0.0

    async def turn(self, method: str, path: str, until: float) -> None:
        """Wait for the endpoint group's turn; raise RateLimited when it comes after ``until``."""
        pace = self._paces.setdefault((method, path), EndpointPace())
        while (wait := await self._take(method, path, pace)) > 0:
            if self._now() + wait > until:
                raise self._too_fast(method, path, wait)
            self._calls.waited(f"{method} {path}", wait)
            await self._sleep(wait)

    async def _take(self, method: str, path: str, pace: EndpointPace) -> float:
        """Take one request from our own allowance, and from the one shared by replicas; see ``pace.take``."""
        if (wait := pace.take(self._now())) > 0 or self._shared is None:
            return wait
        try:
            wait = await self._shared.take(self._scope(method, path), pace.limit)
        except BaseException:
            pace.give_back()
            pace.ended()
            raise
        if wait > 0:
            pace.give_back()
            pace.ended()
        return wait

    def give_back(self, method: str, path: str) -> None:
        """Take note that a request with a turn was not sent after all; the next request gets the turn."""
        self._paces[method, path].give_back()

    def ended(self, method: str, path: str) -> None:
        """Take note that a request with a turn has ended, with any result."""
        self._paces[method, path].ended()

    async def learn(self, method: str, path: str, headers: httpx.Headers, asked: float) -> None:
        """Take in the allowance in the answer to a request of ``asked``, and report it to the others."""
        pace = self._paces[method, path]
        pace.learn(headers, asked, self._now())
        if self._shared is not None:
            told = allowance(headers)
            await self._shared.learn(self._scope(method, path), pace.limit, told.get("remaining"), told.get("reset"))

    async def refused(self, method: str, path: str, wait: float) -> RateLimited:
        """Allow no calls for ``wait`` seconds, as a 429 asked, and return the error to raise."""
        pace = self._paces[method, path]
        pace.closed_until = self._now() + wait
        if self._shared is not None:
            await self._shared.close(self._scope(method, path), pace.limit, wait)
        return self._too_fast(method, path, wait, status=429)

    def _scope(self, method: str, path: str) -> str:
        return f"{self._title} {method} {path}"[:120] if self._by_endpoint else self._title

    def _too_fast(self, method: str, path: str, wait: float, status: int | None = None) -> RateLimited:
        self._calls.waited(f"{method} {path}", wait)
        message = f"{self._title} asks to wait {math.ceil(wait)} s before the next request."
        return RateLimited(message, wait=wait, status=status)

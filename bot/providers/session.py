"""What every provider over HTTP is: connections that are closed after use, a clock, and a count of the calls."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from bot.clock_skew import ServiceClock
from bot.providers.http import PacedClient
from bot.providers.key_watch import KeyWatch
from bot.telemetry.call_times import CallTimes


class Session:
    """An open session with one provider, over ``_http``; close it, or use it in ``async with``."""

    _http: PacedClient

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; no call works afterwards."""
        await self._http.client.aclose()

    @property
    def clock(self) -> ServiceClock:
        """The provider's clock, as its answers show it."""
        return self._http.clock

    @property
    def key(self) -> KeyWatch:
        """Where to hear that the provider does not accept the API key."""
        return self._http.key

    @property
    def calls(self) -> CallTimes:
        """What its HTTP calls took, by method, path and status."""
        return self._http.calls

"""The one client of Slack's Web API: it never repeats a call, keeps to what Slack asks, and hears Slack's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.changes.model.call_grants import CallGrant
from bot.clock_skew import ServiceClock
from bot.errors import DeliveryPostponed
from bot.machine import steady
from bot.slack.web_api import TIMEOUT, retry_after
from bot.telemetry.call_times import CallTimes

#: A wait longer than this is told to people; shorter ones nobody notices.
WORTH_SAYING: Final = timedelta(seconds=60)


class Client(AsyncWebClient):
    """A client that never repeats a call by itself.

    The SDK's default handler repeats after a broken connection, which can post a message twice; the outbox repeats
    only after looking.
    """

    def __init__(
        self,
        token: str,
        base_url: str,
        session: aiohttp.ClientSession,
        *,
        clock: Callable[[], datetime],
        steady: Callable[[], float] = steady,
        rates: SharedLimits | None = None,
    ) -> None:
        super().__init__(token=token, base_url=base_url, session=session, retry_handlers=[], timeout=int(TIMEOUT))
        self._steady = steady
        self.closures = RateLimits(clock, rates)
        #: What calls took, by method and how they ended.
        self.calls = CallTimes("method", "status")
        #: The time at Slack, as its answers tell.
        self.clock = ServiceClock("Slack", now=steady, wall=lambda: clock().timestamp())

    def waits(self) -> Mapping[str, datetime]:
        """Return what Slack keeps closed for a good while yet, such as ``chat.update``, and until when."""
        return self.closures.longer_than(WORTH_SAYING)

    async def api_call(self, api_method: str, **request: Any) -> AsyncSlackResponse:  # noqa: ANN401 - the SDK's own
        """Call ``api_method``; raises DeliveryPostponed without a call when Slack has asked to wait with it."""
        channel = _channel(request)
        if wait := await self.closures.wait_for_all(api_method, channel):
            self.calls.waited(api_method, wait)
            raise DeliveryPostponed(f"Slack asks to wait with {api_method}.", wait=wait)
        asked, status = self._steady(), "no_answer"
        try:
            response = await super().api_call(api_method, **request)
        except SlackApiError as error:
            if isinstance(error.response, AsyncSlackResponse):
                status = _refusal(error.response)
                self._hear(error.response, asked)
                if error.response.status_code == 429:
                    wait = retry_after(error.response.headers)
                    self.calls.waited(api_method, wait)
                    await self.closures.close_for_all(api_method, channel, wait)
            raise
        else:
            status = "ok"
        finally:
            self.calls.took(api_method, status, seconds=self._steady() - asked)
        self._hear(response, asked)
        return response

    def _hear(self, response: AsyncSlackResponse, asked: float) -> None:
        if isinstance(response.data, dict) and "ok" in response.data:  # no proxy's page, whose clock is another
            self.clock.learn(response.headers.get("Date"), asked)


def _refusal(response: AsyncSlackResponse) -> str:
    """Return Slack's word for it, or the status of an answer that has none."""
    data = response.data if isinstance(response.data, dict) else {}
    return str(data.get("error") or response.status_code) if response.status_code != 429 else "ratelimited"


def _channel(request: Mapping[str, Any]) -> str:
    for part in ("json", "params", "data"):
        given = request.get(part)
        if isinstance(given, Mapping) and given.get("channel"):
            return str(given["channel"])
    return ""


#: Methods that Slack counts for each channel by itself (API.md, "Rate limits"); all others it counts for the workspace.
_BY_CHANNEL: Final = frozenset({"chat.postMessage"})


class SharedLimits(Protocol):
    """What replicas know together of when a method may be called."""

    async def take(self, scope: str, most: int) -> CallGrant:
        """Take one call; none while the method is closed."""

    async def close(self, scope: str, most: int, seconds: float) -> None:
        """Let nobody call for ``seconds``."""


class RateLimits:
    """Methods that are closed, each until when: a 429 closes its method for everybody, for as long as it says.

    They live in the process: after a restart the first call is told anew. With ``shared``, what
    Slack counts by channel is closed to every replica at once.
    """

    def __init__(self, clock: Callable[[], datetime], shared: SharedLimits | None = None) -> None:
        self._clock = clock
        self._shared = shared
        #: What is closed -> since when, until when.
        self._closed: dict[str, tuple[datetime, datetime]] = {}

    def close(self, method: str, channel: str, seconds: float) -> None:
        """Close ``method``, in ``channel`` only where Slack counts so."""
        now = self._clock()
        self._closed[_name(method, channel)] = (now, now + timedelta(seconds=seconds))

    def wait(self, method: str, channel: str) -> float:
        """Return for how many seconds ``method`` is closed yet; 0 when it is open."""
        return self._left(_name(method, channel))

    async def wait_for_all(self, method: str, channel: str) -> float:
        """Return for how many seconds ``method`` is closed yet to all replicas, and take a call when it is open."""
        if (wait := self.wait(method, channel)) or self._shared is None or method not in _BY_CHANNEL:
            return wait
        granted = await self._shared.take(f"Slack {_name(method, channel)}", 0)
        return 0.0 if granted.calls else granted.seconds

    async def close_for_all(self, method: str, channel: str, seconds: float) -> None:
        """Close ``method`` as :meth:`close` does, to all replicas."""
        self.close(method, channel, seconds)
        if self._shared is not None and method in _BY_CHANNEL:
            await self._shared.close(f"Slack {_name(method, channel)}", 0, seconds)

    def longer_than(self, least: timedelta) -> Mapping[str, datetime]:
        """Return what is closed for longer than ``least`` yet, such as ``chat.update``, and until when."""
        now = self._clock()
        left = {name: self._left(name) for name in sorted(self._closed)}
        return {name: now + timedelta(seconds=rest) for name, rest in left.items() if rest > least.total_seconds()}

    def _left(self, name: str) -> float:
        if name not in self._closed:
            return 0.0
        since, until = self._closed[name]
        now = self._clock()
        # A clock that was put back would keep it closed for longer than Slack asked; a call too many only says so anew.
        if since <= now < until:
            return (until - now).total_seconds()
        del self._closed[name]
        return 0.0


def _name(method: str, channel: str) -> str:
    return f"{method} in {channel}" if channel and method in _BY_CHANNEL else method

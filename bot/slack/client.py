"""The one client of Slack's Web API: it never repeats a call, respects Slack's limits, and learns Slack's time."""

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

#: People are told of a wait longer than this; nobody notices shorter ones.
WORTH_SAYING: Final = timedelta(seconds=60)


class Client(AsyncWebClient):
    """A client that never repeats a call by itself.

    The SDK's default handler repeats a call after a broken connection, which can post a message twice; the outbox
    repeats only after checking.
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
        #: Duration of calls, by method and how they ended.
        self.calls = CallTimes("method", "status")
        #: The time at Slack, according to its answers.
        self.clock = ServiceClock("Slack", now=steady, wall=lambda: clock().timestamp())

    def waits(self) -> Mapping[str, datetime]:
        """Return the methods that Slack keeps closed for a while, such as ``chat.update``, and until when."""
        return self.closures.longer_than(WORTH_SAYING)

    async def api_call(self, api_method: str, **request: Any) -> AsyncSlackResponse:  # noqa: ANN401 - the SDK's own
        """Call ``api_method``; raises DeliveryPostponed without a call when Slack has asked us to wait with it."""
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
        if isinstance(response.data, dict) and "ok" in response.data:  # not a proxy's page, whose clock is another
            self.clock.learn(response.headers.get("Date"), asked)


def _refusal(response: AsyncSlackResponse) -> str:
    """Return Slack's error, or the status of an answer without one."""
    data = response.data if isinstance(response.data, dict) else {}
    return str(data.get("error") or response.status_code) if response.status_code != 429 else "ratelimited"


def _channel(request: Mapping[str, Any]) -> str:
    for part in ("json", "params", "data"):
        given = request.get(part)
        if isinstance(given, Mapping) and given.get("channel"):
            return str(given["channel"])
    return ""


#: Methods that Slack counts per channel (API.md, "Rate limits"); it counts all others for the whole workspace.
_BY_CHANNEL: Final = frozenset({"chat.postMessage"})


class SharedLimits(Protocol):
    """What replicas know together about when a method may be called."""

    async def take(self, scope: str, most: int) -> CallGrant:
        """Take one call; zero calls while the method is closed."""

    async def close(self, scope: str, most: int, seconds: float) -> None:
        """Allow no calls for ``seconds``."""


class RateLimits:
    """Closed methods, each until a time: a 429 closes its method for all callers for as long as it says.

    They live in the process: after a restart the first call learns them again. With ``shared``, methods that Slack
    counts per channel are closed to all replicas at once.
    """

    def __init__(self, clock: Callable[[], datetime], shared: SharedLimits | None = None) -> None:
        self._clock = clock
        self._shared = shared
        #: What is closed -> (since when, until when).
        self._closed: dict[str, tuple[datetime, datetime]] = {}

    def close(self, method: str, channel: str, seconds: float) -> None:
        """Close ``method``, only in ``channel`` if Slack counts per channel."""
        now = self._clock()
        self._closed[_name(method, channel)] = (now, now + timedelta(seconds=seconds))

    def wait(self, method: str, channel: str) -> float:
        """Return for how many more seconds ``method`` is closed; 0 when it is open."""
        return self._left(_name(method, channel))

    async def wait_for_all(self, method: str, channel: str) -> float:
        """Return for how many more seconds all replicas must not call ``method``; if it is open, take a call."""
        if (wait := self.wait(method, channel)) or self._shared is None or method not in _BY_CHANNEL:
            return wait
        granted = await self._shared.take(f"Slack {_name(method, channel)}", 0)
        return 0.0 if granted.calls else granted.seconds

    async def close_for_all(self, method: str, channel: str, seconds: float) -> None:
        """Close ``method`` to all replicas, as :meth:`close` does."""
        self.close(method, channel, seconds)
        if self._shared is not None and method in _BY_CHANNEL:
            await self._shared.close(f"Slack {_name(method, channel)}", 0, seconds)

    def longer_than(self, least: timedelta) -> Mapping[str, datetime]:
        """Return what is closed for longer than ``least``, such as ``chat.update``, and until when."""
        now = self._clock()
        left = {name: self._left(name) for name in sorted(self._closed)}
        return {name: now + timedelta(seconds=rest) for name, rest in left.items() if rest > least.total_seconds()}

    def _left(self, name: str) -> float:
        if name not in self._closed:
            return 0.0
        since, until = self._closed[name]
        now = self._clock()
        # A clock that was set back would keep it closed for longer than Slack asked; a call too many only gets another
        # 429.
        if since <= now < until:
            return (until - now).total_seconds()
        del self._closed[name]
        return 0.0


def _name(method: str, channel: str) -> str:
    return f"{method} in {channel}" if channel and method in _BY_CHANNEL else method

"""The allowed rate of an endpoint, according to its answers.

Telnyx sends ``x-ratelimit-limit``, ``-remaining`` and ``-reset`` (seconds); Close sends ``RateLimit: limit=,
remaining=, reset=`` (seconds) per endpoint group; either may send ``retry-after``, and Close ``RateLimit-Reset``
(providers/close/API.md, "Rate limits").
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from bot.clock_skew import read_date

#: Seconds to wait after a 429 at least. Headers give whole seconds and may say 0, which asked at once would be a loop.
LEAST_WAIT: Final = 1.0
#: A longer wait than this in a header is a mistake, such as a time of day instead of seconds.
_ABSURD_WAIT: Final = 86_400.0
#: Where between the earliest and the latest end of a window the next one is assumed to begin.
_LATE: Final = 0.25
_RATE_LIMIT_PART: Final = re.compile(r"(limit|remaining|reset)\s*=\s*\"?([0-9.]+)", re.IGNORECASE)


@dataclass(slots=True)
class EndpointPace:
    """The allowance of one endpoint group, according to its answers. Times are those of the client's clock."""

    limit: float = math.inf
    remaining: float = math.inf
    reset_at: float = -math.inf
    #: The longest window seen, in seconds.
    span: float = 0.0
    #: After a 429: when the next request may go.
    closed_until: float = -math.inf
    #: Requests that were allowed and have not ended.
    under_way: int = 0
    #: The assumed beginning of the current window.
    opened: float = -math.inf
    #: The earliest and latest end of the current window, according to its answers.
    earliest: float = -math.inf
    latest: float = math.inf
    #: Whether the provider tells fractions of a second; whole seconds may be rounded either way.
    exact: bool = False

    @property
    def rate(self) -> float:
        """Requests per second; 0 while unknown."""
        return self.limit / self.span if self.span and math.isfinite(self.limit) else 0.0

    def take(self, now: float) -> float:
        """Take one request from the allowance and return 0, or return the seconds to wait before asking again."""
        if now < self.closed_until:
            return self.closed_until - now
        if now >= self.reset_at:
            # The window is over. Until an answer says otherwise, the next one is assumed to be alike, and the requests
            # under way to count in it.
            self.remaining, self.reset_at = max(self.limit - self.under_way, 1.0), now + self.span
            self.opened, self.earliest, self.latest = now, -math.inf, math.inf
        if self.remaining < 1:
            return self.reset_at - now
        self.remaining -= 1
        self.under_way += 1
        return 0.0

    def give_back(self) -> None:
        """Take note that an allowed request was not sent after all."""
        self.remaining += 1

    def ended(self) -> None:
        """Take note that an allowed request has ended, with any result."""
        self.under_way -= 1

    def learn(self, headers: httpx.Headers, sent: float, now: float) -> None:
        """Take in the allowance in the answer to a request that was sent at ``sent``."""
        told = allowance(headers)
        remaining, reset = told.get("remaining"), told.get("reset")
        self.limit = told.get("limit", self.limit)
        if remaining is None or reset is None:
            return
        self.span = max(self.span, reset)
        self.exact = self.exact or not reset.is_integer()
        if sent + reset <= min(now, self.opened + self.span / 2):
            # The answer is about the previous window, which is over, so its request did not count in this one. Applied
            # to this one, the rest of that window would hold back a whole window.
            self.remaining = min(self.remaining + 1, self.limit)
            return
        told_of = remaining >= 1 or (self.exact and self.earliest <= now + reset)
        if told_of and now < self.reset_at and now + reset <= self.reset_at + 1.0:
            # Still the same window. Requests under way are not in the answer's figure but are in ours. It may have
            # begun only when the first of them arrived, so the answers determine its end.
            self.remaining, self.reset_at = min(self.remaining, remaining), self._end(sent + reset, now + reset)
        else:
            # A new window. The other requests under way may count in it without being in the answer's figure.
            self.remaining, self.reset_at = remaining - max(self.under_way - 1, 0), now + reset

    def _end(self, earliest: float, latest: float) -> float:
        """Return when the current window ends; another answer puts it between ``earliest`` and ``latest``.

        The request arrived some time between its sending and its answer. The first request of the next window takes a
        while too, so it need not be held until the latest end: that would begin each window late by the time of a whole
        answer. It is held for part of that time, as one may be faster than all before it.
        """
        if not self.exact:
            return max(self.reset_at, latest)
        self.earliest, self.latest = max(self.earliest, earliest), min(self.latest, latest)
        return self.earliest + max(self.latest - self.earliest, 0.0) * _LATE


def asked_wait(headers: httpx.Headers, there: datetime | None, *, otherwise: float) -> float:
    """Return the seconds to wait after a 429, at least :data:`LEAST_WAIT`.

    ``there`` is the provider's time, for a header with a date.

    If there is a ``RateLimit`` header, its reset is the answer and the others are ignored, as in Close's own client
    (providers/close/API.md, "Rate limits"). Of Telnyx's two, the longer one counts. A bare ``RateLimit-Reset`` comes
    last, and without any of them the answer is ``otherwise``.
    """
    if (reset := _structured(headers).get("reset")) is not None:
        return max(reset, LEAST_WAIT)
    waits = [_seconds(headers.get("x-ratelimit-reset", "")), _retry_after(headers.get("retry-after", ""), there)]
    asked = [wait for wait in waits if wait is not None]
    if asked:
        return max(*asked, LEAST_WAIT)
    bare = _seconds(headers.get("ratelimit-reset", ""))
    return otherwise if bare is None else max(bare, LEAST_WAIT)


def allowance(headers: httpx.Headers) -> dict[str, float]:
    """Return the rate headers by ``limit``, ``remaining`` and ``reset``; unreadable ones are left out."""
    told = {name: _seconds(headers.get(f"x-ratelimit-{name}", "")) for name in ("limit", "remaining", "reset")}
    return {name: value for name, value in told.items() if value is not None} | _structured(headers)


def _structured(headers: httpx.Headers) -> dict[str, float]:
    parts = _RATE_LIMIT_PART.findall(headers.get("ratelimit", ""))
    told = {name.lower(): _seconds(value) for name, value in parts}
    return {name: value for name, value in told.items() if value is not None}


def _retry_after(text: str, there: datetime | None) -> float | None:
    """Return the seconds of a ``retry-after`` header, which may also be a date (RFC 9110, 10.2.3)."""
    if (seconds := _seconds(text)) is not None:
        return seconds
    moment = read_date(text)
    if moment is None or there is None:
        return None
    wait = (moment - there).total_seconds()
    return max(wait, 0.0) if wait <= _ABSURD_WAIT else None


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= _ABSURD_WAIT else None

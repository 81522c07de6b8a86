"""How fast an endpoint may be called, as its answers tell.

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

#: A wait that a header asks for beyond this is not a wait but a mistake, such as a time of day in place of seconds.
_ABSURD_WAIT: Final = 86_400.0
#: Where between the earliest and the latest end of a window the next one is taken to begin.
_LATE: Final = 0.25
_RATE_LIMIT_PART: Final = re.compile(r"(limit|remaining|reset)\s*=\s*\"?([0-9.]+)", re.IGNORECASE)


@dataclass(slots=True)
class EndpointPace:
    """What one endpoint group allows, as far as its answers have told. Times are those of the client's clock."""

    limit: float = math.inf
    remaining: float = math.inf
    reset_at: float = -math.inf
    #: The longest window seen, in seconds.
    span: float = 0.0
    #: After a 429: when the next request may go.
    closed_until: float = -math.inf
    #: Requests that were let go and have not ended.
    under_way: int = 0
    #: When the present window was taken to have begun.
    opened: float = -math.inf
    #: Between which times the present window ends, by what its answers have told.
    earliest: float = -math.inf
    latest: float = math.inf
    #: Whether the provider tells parts of a second; whole ones may be rounded either way.
    exact: bool = False

    @property
    def rate(self) -> float:
        """Requests in a second; 0 while that is not known."""
        return self.limit / self.span if self.span and math.isfinite(self.limit) else 0.0

    def take(self, now: float) -> float:
        """Take one request out of the allowance and return 0, or return the seconds to wait before asking again."""
        if now < self.closed_until:
            return self.closed_until - now
        if now >= self.reset_at:
            # The window is over. Until an answer says better, the next one is taken to be like it, and the requests
            # under way to count in it.
            self.remaining, self.reset_at = max(self.limit - self.under_way, 1.0), now + self.span
            self.opened, self.earliest, self.latest = now, -math.inf, math.inf
        if self.remaining < 1:
            return self.reset_at - now
        self.remaining -= 1
        self.under_way += 1
        return 0.0

    def give_back(self) -> None:
        """Take note that a request that was let go was not sent after all."""
        self.remaining += 1

    def ended(self) -> None:
        """Take note that a request that was let go has ended, one way or another."""
        self.under_way -= 1

    def learn(self, headers: httpx.Headers, sent: float, now: float) -> None:
        """Take in what the answer to a request ``sent`` then says about the allowance."""
        told = allowance(headers)
        remaining, reset = told.get("remaining"), told.get("reset")
        self.limit = told.get("limit", self.limit)
        if remaining is None or reset is None:
            return
        self.span = max(self.span, reset)
        self.exact = self.exact or not reset.is_integer()
        if sent + reset <= min(now, self.opened + self.span / 2):
            # It is about the window before, which was over by now, and so its request did not count in this one. Taken
            # for this one's, what was left of that one would hold back a whole window.
            self.remaining = min(self.remaining + 1, self.limit)
            return
        told_of = remaining >= 1 or (self.exact and self.earliest <= now + reset)
        if told_of and now < self.reset_at and now + reset <= self.reset_at + 1.0:
            # The same window still. Requests under way are not in the answer's figure but are in ours. It may have
            # opened only when the first of them arrived, so its end is where the answers put it.
            self.remaining, self.reset_at = min(self.remaining, remaining), self._end(sent + reset, now + reset)
        else:
            # A window that we did not know. The others under way may count in it and not be in the answer's figure.
            self.remaining, self.reset_at = remaining - max(self.under_way - 1, 0), now + reset

    def _end(self, earliest: float, latest: float) -> float:
        """Return when the present window ends; another answer puts it between ``earliest`` and ``latest``.

        When the request arrived lies between its sending and its answer. The first one of the next window takes its
        way as well, so it need not be kept back until the latest end: that would begin each window the time of a whole
        answer late. It is kept back for a part of it, as one may be quicker on its way than all before it.
        """
        if not self.exact:
            return max(self.reset_at, latest)
        self.earliest, self.latest = max(self.earliest, earliest), min(self.latest, latest)
        return self.earliest + max(self.latest - self.earliest, 0.0) * _LATE


def asked_wait(headers: httpx.Headers, there: datetime | None, *, otherwise: float) -> float:
    """Return the seconds that a 429 asks to wait; ``there`` is the time at the provider, for a header that is a date.

    Where there is a ``RateLimit`` header, its reset is the answer and the others are not looked at, as in Close's own
    client (providers/close/API.md, "Rate limits"). Of Telnyx's two the longer one counts. A bare ``RateLimit-Reset``
    comes last, and without any of them it is ``otherwise``.
    """
    if (reset := _structured(headers).get("reset")) is not None:
        return reset
    waits = [_seconds(headers.get("x-ratelimit-reset", "")), _retry_after(headers.get("retry-after", ""), there)]
    asked = [wait for wait in waits if wait is not None]
    if asked:
        return max(asked)
    bare = _seconds(headers.get("ratelimit-reset", ""))
    return otherwise if bare is None else bare


def allowance(headers: httpx.Headers) -> dict[str, float]:
    """Return what the rate headers say, by ``limit``, ``remaining`` and ``reset``; what cannot be read is left out."""
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

"""The rate limit: a number of calls per window, and the headers that tell of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.telnyx.errors import rate_limited

#: What the headers say while no limit is set; the real figures are not documented.
NOMINAL = 3000


@dataclass(slots=True)
class RateLimit:
    """At most ``limit`` calls in each window of ``window`` seconds; the next one gets 429."""

    limit: int
    window: float
    #: Whether the 429 carries ``retry-after`` besides the ``x-ratelimit`` headers.
    retry_after: bool = False
    _opened: datetime | None = field(default=None, init=False)
    _used: int = field(default=0, init=False)

    def count(self, now: datetime) -> None:
        """Count one call.

        Raises:
            RefusedError: 429 when the window is used up.

        """
        if self._opened is None or self._reset(now) <= 0:
            self._opened, self._used = now, 0
        self._used += 1
        if self._used > self.limit:
            raise rate_limited()

    def _reset(self, now: datetime) -> float:
        opened = self._opened or now
        return (opened + timedelta(seconds=self.window) - now).total_seconds()

    def headers(self, now: datetime) -> dict[str, str]:
        """Return the ``x-ratelimit`` headers; ``reset`` is in seconds, as documented."""
        reset = f"{max(self._reset(now), 0):.3f}".rstrip("0").rstrip(".")
        found = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(self.limit - self._used, 0)),
            "x-ratelimit-reset": reset,
        }
        if self.retry_after and self._used > self.limit:
            found["retry-after"] = reset
        return found


def nominal_headers() -> dict[str, str]:
    """Return the headers of a service whose limit is far away."""
    return {
        "x-ratelimit-limit": str(NOMINAL),
        "x-ratelimit-remaining": str(NOMINAL - 1),
        "x-ratelimit-reset": "1",
    }

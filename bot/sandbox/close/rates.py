"""Rate limits: per endpoint group, for each credential and for the organization.

Which calls form a group is not published (providers/close/API.md, "Rate limits"); here each method and path is one,
such as ``PUT /phone_number/{id}/``. The organization may make three times as many calls as one credential.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from bot.sandbox.close.errors import rate_limited

#: What the header says while no limit is set; the real figures are not documented.
NOMINAL = "limit=3000, remaining=2999, reset=1"
ORGANIZATION_TIMES = 3


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``limit`` calls by one credential in each window of ``window`` seconds; the next one gets 429."""

    limit: int
    window: float = 1.0
    #: Whether good answers tell of it. Some endpoints have stricter limits that show only in the 429.
    announced: bool = True


@dataclass(slots=True)
class _Window:
    """What was used of one allowance since it opened."""

    limit: int
    seconds: float
    opened: datetime
    used: int = 0

    def reset(self, now: datetime) -> float:
        return round(max((self.opened + timedelta(seconds=self.seconds) - now).total_seconds(), 0.0), 3)

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)

    def header(self, now: datetime) -> str:
        return f"limit={self.limit}, remaining={self.remaining}, reset={self.reset(now):g}"


@dataclass(slots=True)
class Rates:
    """The limits in force and what was used of them."""

    #: For every group that has none of its own.
    default: RateLimit | None = None
    groups: dict[str, RateLimit] = field(default_factory=dict)
    _windows: dict[tuple[str, str | None], _Window] = field(default_factory=dict)

    def count(self, group: str, credential: str, now: datetime) -> None:
        """Count one call.

        Raises:
            RefusedError: 429 when the credential's or the organization's allowance for the group is used up.

        """
        limit = self._limit(group)
        if limit is None:
            return
        own, everyone = self._window(group, credential, limit, now), self._window(group, None, limit, now)
        for window, whose in ((own, "API key"), (everyone, "organization")):
            if not window.remaining:
                message = f"The {whose} limit of {window.limit} requests was reached for the group {group}."
                raise rate_limited(message, window.reset(now), _told(window, limit, now))
        own.used += 1
        everyone.used += 1

    def spend(self, group: str, count: int, now: datetime) -> None:
        """Let somebody else in the organization use up ``count`` calls of its allowance."""
        limit = self._limit(group)
        if limit is None:
            raise ValueError(f"there is no limit on {group} to spend from; set one first")
        self._window(group, None, limit, now).used += count

    def headers(self, group: str, credential: str, now: datetime) -> dict[str, str]:
        """Return what a good answer tells: the allowance that has less left."""
        limit = self._limit(group)
        if limit is None:
            return {"RateLimit": NOMINAL}
        if not limit.announced:
            return {}
        windows = (self._window(group, whose, limit, now) for whose in (credential, None))
        return {"RateLimit": min(windows, key=lambda window: window.remaining).header(now)}

    def _limit(self, group: str) -> RateLimit | None:
        return self.groups.get(group, self.default)

    def _window(self, group: str, credential: str | None, limit: RateLimit, now: datetime) -> _Window:
        """Return the open window of a credential, or of the organization for ``None``."""
        most = limit.limit * (ORGANIZATION_TIMES if credential is None else 1)
        window = self._windows.get((group, credential))
        if window is None or window.reset(now) <= 0 or (window.limit, window.seconds) != (most, limit.window):
            window = self._windows[group, credential] = _Window(most, limit.window, now)
        return window


def _told(window: _Window, limit: RateLimit, now: datetime) -> dict[str, str]:
    """Return the headers of a 429: ``reset`` is a decimal, ``Retry-After`` the next whole second."""
    reset = window.reset(now)
    rate = window.header(now) if limit.announced else f"reset={reset:g}"
    return {"RateLimit": rate, "Retry-After": str(ceil(reset))}

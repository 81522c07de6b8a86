"""What Slack has asked us not to call for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

#: Methods that Slack counts for each channel by itself (API.md, "Rate limits"); all others it counts for the workspace.
_BY_CHANNEL: Final = frozenset({"chat.postMessage"})


class RateLimits:
    """Methods that are closed, each until when: a 429 closes its method for everybody, for as long as it says.

    They live in the process: after a restart, and in another replica, the first call is told anew.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        #: What is closed -> since when, until when.
        self._closed: dict[str, tuple[datetime, datetime]] = {}

    def close(self, method: str, channel: str, seconds: float) -> None:
        """Close ``method``, in ``channel`` only where Slack counts so."""
        now = self._clock()
        self._closed[_name(method, channel)] = (now, now + timedelta(seconds=seconds))

    def wait(self, method: str, channel: str) -> float:
        """Return for how many seconds ``method`` is closed yet; 0 when it is open."""
        return self._left(_name(method, channel))

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

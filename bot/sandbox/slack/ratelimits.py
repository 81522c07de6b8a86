"""Slack's rate limits by method: tiers for the workspace, and one message a second for a channel.

Source: the rate_limits on each method's page of docs.slack.dev;
a tier is "at least so many a minute", here exactly so many.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque

from bot.sandbox.slack.records import Json

WINDOW = 60.0
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
METHOD_TIERS = {
    "bots.info": 3,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.update": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.members": 4,
    "conversations.open": 3,
    "conversations.replies": 3,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "files.info": 4,
    "reactions.add": 3,
    "team.info": 3,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "users.info": 4,
    "users.list": 2,
    "views.open": 4,
    "views.publish": 4,
    "views.push": 4,
    "views.update": 4,
}
#: seconds for which a call may have been under way
UNDER_WAY = 0.5
#: messages to one channel that may come at once before one a second holds
BURST = 5


class MethodLimits:
    """Counts calls; off until ``enforced`` is set."""

    def __init__(self) -> None:
        self.enforced = False
        self._seen: dict[str, deque[float]] = defaultdict(deque)
        #: (method, channel or any) -> seconds to wait, as every call of it is told until it is opened
        self._closed: dict[tuple[str, str | None], int] = {}
        #: when the first call was told so (monotonic seconds)
        self._told: dict[tuple[str, str | None], float] = {}

    def close(self, method: str, seconds: int, channel: str | None) -> None:
        """Close a method, in one channel only if one is given."""
        self._closed[method, channel] = seconds

    def open(self) -> None:
        """Open every method again."""
        self._closed.clear()
        self._told.clear()

    def closed(self, method: str, params: Json) -> tuple[int, bool] | None:
        """Return the seconds to wait, and whether the app knows that already; None for a method that is open.

        Calls that were under way when the first one was told are forgiven.
        """
        for key in ((method, params.get("channel")), (method, None)):
            if key in self._closed:
                now = time.monotonic()
                return self._closed[key], now > self._told.setdefault(key, now) + UNDER_WAY
        return None

    def retry_after(self, method: str, params: Json) -> int | None:
        """Count a call; return the seconds to wait when it is one too many, else None."""
        if not self.enforced:
            return None
        if method == "chat.postMessage":
            return self._count(f"{method}:{params.get('channel')}", most=BURST, window=float(BURST))
        tier = METHOD_TIERS.get(method)
        return None if tier is None else self._count(method, most=TIERS[tier], window=WINDOW)

    def _count(self, key: str, *, most: int, window: float) -> int | None:
        now = time.monotonic()
        seen = self._seen[key]
        while seen and seen[0] <= now - window:
            seen.popleft()
        if len(seen) >= most:
            return max(1, math.ceil(seen[0] + window - now))
        seen.append(now)
        return None

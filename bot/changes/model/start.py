"""The start of a change, and the end of a temporary one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.changes.policy.wall_clock import show_instant
from bot.changes.policy.windows import Window, next_opening

#: The limit at which :func:`bot.changes.policy.windows.next_opening` gives up.
_NEVER: Final = timedelta(weeks=3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """When a change is to start."""

    #: A whole minute, in UTC.
    at: datetime
    #: Name of its time zone, such as ``Europe/Berlin``.
    zone: str

    def __str__(self) -> str:
        """Return ``Mon Nov 30, 2026, 02:00 (Europe/Berlin)``; with the offset when clocks show that time twice."""
        return show_instant(self.at, self.zone)


@dataclass(frozen=True, kw_only=True, slots=True)
class End(Start):
    """When a temporary change ends."""


def begins_at(start: Start | None, windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return when a change may begin at the earliest, by its start and its windows; None when it may begin now."""
    since = max(start.at, now) if start else now
    begins = next_opening(windows, since) or since + _NEVER
    return begins if begins > now else None

"""Moments that others tell us: believable, or none at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

#: Nothing here began before, or is to end after. At the ends of the calendar every addition is an error.
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def believable(moment: datetime) -> datetime | None:
    """Return ``moment`` as aware UTC, taken for UTC when it names no zone; None outside 2000 to 2100.

    The year 1 with an offset has no time in UTC at all.
    """
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return aware if _FIRST <= aware < _LAST else None

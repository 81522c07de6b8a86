"""When work is tried again that failed for a reason nobody foresaw."""

from __future__ import annotations

from datetime import timedelta

#: The first pause; each one after it is twice as long.
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=5)


def retry_pause(tries: int) -> timedelta:
    """Return the pause after ``tries`` failures in a row."""
    doubled: timedelta = FIRST_RETRY * 2 ** min(tries, 10)
    return min(doubled, LONGEST_RETRY)

"""When work that failed for an unforeseen reason is tried again."""

from __future__ import annotations

from datetime import timedelta

#: The first pause; each later one is twice as long.
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=5)


def retry_pause(tries: int) -> timedelta:
    """Return the pause after ``tries`` failures in a row."""
    doubled: timedelta = FIRST_RETRY * 2 ** min(tries, 10)
    return min(doubled, LONGEST_RETRY)

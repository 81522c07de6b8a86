"""When a change begins."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.start import Start, begins_at
from bot.changes.policy.windows import Window, open_at

BERLIN = "Europe/Berlin"
MOMENTS = st.integers(0, 3 * 365 * 86_400).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(MOMENTS, st.integers(0, 20 * 24 * 60), st.sets(st.integers(0, 6), min_size=1), st.integers(0, 23))
def test_a_change_begins_at_the_later_of_its_start_and_its_window(
    now: datetime, minutes: int, days: set[int], hour: int
) -> None:
    """Never before its start, only while a window is open, and at once when both allow it."""
    window = Window(days=frozenset(days), start=time(hour), end=time((hour + 3) % 24), zone=ZoneInfo(BERLIN))
    start = Start(at=now + timedelta(minutes=minutes), zone=BERLIN)
    begins = begins_at(start, [window], now)

    assert begins_at(start, [], now) == (start.at if start.at > now else None)
    assert begins_at(None, [], now) is None
    assert open_at([window], begins or now)
    assert start.at <= (begins or now)
    assert ((begins or now) == start.at) == open_at([window], start.at)

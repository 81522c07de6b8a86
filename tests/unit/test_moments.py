"""Which moments are believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.clock_skew import believable, read_date


@pytest.mark.parametrize(
    ("told", "believed"),
    [
        ("2026-11-01T12:00:00+02:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01T12:00:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("1970-01-01T00:00:00+00:00", None),
        ("9999-12-31T23:59:59+00:00", None),
    ],
)
def test_what_is_beyond_the_calendar_is_none(told: str, believed: datetime | None) -> None:
    """A moment outside of a century is no moment, and none is an error."""
    assert believable(datetime.fromisoformat(told)) == believed


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -1400", "yesterday", ""])
def test_a_date_beyond_belief_tells_no_time(date: str) -> None:
    """The same goes for the time of an answer."""
    assert read_date(date) is None

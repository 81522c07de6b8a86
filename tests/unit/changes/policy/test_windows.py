"""The hours in which changes may be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.changes.policy.windows import Window, describe, next_opening, open_at

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = frozenset(range(5))
#: Zones that put their clocks forth and back in many ways: by half an hour, at midnight, by a whole day, never.
ZONES = [
    ZoneInfo(name)
    for name in ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu", "Pacific/Apia")
]
NIGHT = Window(days=WEEKDAYS, start=time(20), end=time(6), zone=BERLIN)

times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
windows = st.lists(
    st.builds(
        Window,
        days=st.frozensets(st.integers(0, 6), min_size=1),
        start=times,
        end=times,
        zone=st.sampled_from(ZONES),
    ),
    max_size=3,
).map(tuple)
#: Around the days on which one of the zones changes its clocks, and any other time.
instants = st.one_of(
    st.builds(
        lambda day, away: datetime.fromisoformat(f"{day}T00:00+00:00") + away,
        st.sampled_from(["2026-03-29", "2026-10-25", "2026-04-04", "2026-03-08", "2011-12-30"]),
        st.timedeltas(timedelta(days=-2), timedelta(days=2)),
    ),
    st.datetimes(
        datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2040-01-01"), timezones=st.sampled_from(ZONES)
    ),
)


def at(text: str) -> datetime:
    """Return the instant at which clocks in Berlin show ``text``."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


class TestOpen:
    """Whether changes may be sent now."""

    def test_no_windows(self) -> None:
        """Without windows changes may be sent at any time."""
        assert open_at((), at("2026-05-03T12:00"))

    @pytest.mark.parametrize(
        ("shown", "is_open"),
        [
            pytest.param("2026-05-04T19:59:59", False, id="before it opens"),
            pytest.param("2026-05-04T20:00:00", True, id="its first instant"),
            pytest.param("2026-05-05T05:59:59", True, id="the next day"),
            pytest.param("2026-05-05T06:00:00", False, id="its end is outside"),
            pytest.param("2026-05-09T03:00:00", True, id="Friday's window ends on Saturday"),
            pytest.param("2026-05-09T20:00:00", False, id="Saturday has none"),
            pytest.param("2026-05-11T03:00:00", False, id="nor has the night to Monday"),
        ],
    )
    def test_across_midnight(self, shown: str, is_open: bool) -> None:  # noqa: FBT001 - a column of the table
        """A window that ends before it starts ends on the next day, and belongs to the day on which it begins."""
        assert open_at((NIGHT,), at(shown)) is is_open

    def test_whole_day(self) -> None:
        """From midnight to midnight is a whole day, to its last instant."""
        saturday = Window(days=frozenset({5}), start=time(), end=time(), zone=BERLIN)

        instants = ["2026-05-08T23:59:59", "2026-05-09T00:00:00", "2026-05-09T23:59:59", "2026-05-10T00:00:00"]

        assert [open_at((saturday,), at(instant)) for instant in instants] == [False, True, True, False]

    def test_any_of_several(self) -> None:
        """One open window is enough."""
        lunch = Window(days=WEEKDAYS, start=time(12), end=time(13), zone=BERLIN)

        assert open_at((NIGHT, lunch), at("2026-05-04T12:30"))

    def test_zone(self) -> None:
        """The hours are those of the window's zone, whatever zone the question comes from."""
        tokyo = replace(NIGHT, zone=ZoneInfo("Asia/Tokyo"))

        assert open_at((tokyo,), datetime(2026, 5, 4, 11, 0, tzinfo=UTC))
        assert not open_at((NIGHT,), datetime(2026, 5, 4, 11, 0, tzinfo=UTC))

    def test_hour_that_is_shown_twice(self) -> None:
        """When clocks go back, a window is open both times that they show an hour of it, and closed between."""
        window = Window(days=frozenset({6}), start=time(1), end=time(2, 30), zone=BERLIN)
        half_hours = [datetime(2026, 10, 24, 23, 15, tzinfo=UTC) + timedelta(minutes=30) * n for n in range(6)]

        shown = [f"{instant.astimezone(BERLIN):%H:%M}" for instant in half_hours]

        assert shown == ["01:15", "01:45", "02:15", "02:45", "02:15", "02:45"]
        assert [open_at((window,), instant) for instant in half_hours] == [True, True, True, False, True, False]

    def test_naive(self) -> None:
        """A time without a zone is refused, for it is no instant."""
        with pytest.raises(ValueError, match="aware"):
            open_at((), datetime(2026, 5, 4))  # noqa: DTZ001 - the point of the test

    @pytest.mark.parametrize("days", [frozenset(), frozenset({7})])
    def test_no_day(self, days: frozenset[int]) -> None:
        """A window that never begins cannot be made."""
        with pytest.raises(ValueError, match="at least one day"):
            replace(NIGHT, days=days)

    def test_times_have_no_zone(self) -> None:
        """Nor can one whose times have a zone beside its own."""
        with pytest.raises(ValueError, match="those of its zone"):
            replace(NIGHT, end=time(6, tzinfo=UTC))


class TestNextOpening:
    """When changes may be sent next."""

    @pytest.mark.parametrize(
        ("now", "opens"),
        [
            pytest.param("2026-05-04T21:00", "2026-05-04T21:00", id="now"),
            pytest.param("2026-05-04T12:00", "2026-05-04T20:00", id="this evening"),
            pytest.param("2026-05-09T06:00", "2026-05-11T20:00", id="after the weekend"),
            pytest.param("2026-03-28T12:00", "2026-03-30T20:00", id="after clocks went forward"),
        ],
    )
    def test_weekly(self, now: str, opens: str) -> None:
        """It is now if a window is open, and the start of the next one if not."""
        assert next_opening((NIGHT,), at(now)) == at(opens)

    @pytest.mark.parametrize(
        ("start", "end", "now", "opens"),
        [
            pytest.param(
                time(2, 15), time(4), "2026-03-29T00:30+00:00", "2026-03-29T01:00+00:00", id="the start is skipped"
            ),
            pytest.param(
                time(2, 15), time(2, 45), "2026-03-29T00:30+00:00", "2026-04-05T00:15+00:00", id="all of it is skipped"
            ),
            pytest.param(
                time(1), time(2, 30), "2026-10-25T00:40+00:00", "2026-10-25T01:00+00:00", id="its end comes again"
            ),
            pytest.param(
                time(2, 30), time(2, 45), "2026-10-25T00:50+00:00", "2026-10-25T01:30+00:00", id="all of it comes again"
            ),
        ],
    )
    def test_clock_changes(self, start: time, end: time, now: str, opens: str) -> None:
        """On the days on which clocks change, the clock on the wall decides."""
        sunday = Window(days=frozenset({6}), start=start, end=end, zone=BERLIN)

        assert next_opening((sunday,), datetime.fromisoformat(now)) == datetime.fromisoformat(opens)

    def test_day_that_was_skipped(self) -> None:
        """Samoa had no Friday in the last week of 2011, so a window on Fridays waits for the one after it."""
        friday = Window(days=frozenset({4}), start=time(1), end=time(2), zone=ZoneInfo("Pacific/Apia"))

        opens = next_opening((friday,), datetime(2011, 12, 24, tzinfo=UTC))

        assert opens == datetime(2012, 1, 6, 1, tzinfo=ZoneInfo("Pacific/Apia"))

    @given(windows, instants)
    @settings(deadline=None)
    def test_first_open_instant(self, windows: tuple[Window, ...], now: datetime) -> None:
        """Whatever the windows: it is never in the past, changes may be sent then, and at no quarter before."""
        opens = next_opening(windows, now)

        assert opens is not None
        assert opens >= now
        assert open_at(windows, opens)
        quarter = timedelta(minutes=15)
        between = min((opens.astimezone(UTC) - now.astimezone(UTC)) // quarter, 24 * 4 * 8)
        probes = [opens - timedelta(seconds=1), *(now.astimezone(UTC) + n * quarter for n in range(between))]
        assert not any(open_at(windows, probe) for probe in probes if now <= probe < opens)


class TestDescribe:
    """Windows in words."""

    @pytest.mark.parametrize(
        ("windows", "said"),
        [
            pytest.param((), "at any time", id="none"),
            pytest.param((NIGHT,), "Mon to Fri from 20:00 to 06:00 the next day, Europe/Berlin time", id="a night"),
            pytest.param(
                (NIGHT, Window(days=frozenset({5, 6}), start=time(), end=time(), zone=BERLIN)),
                "Mon to Fri from 20:00 to 06:00 the next day or Sat, Sun all day, Europe/Berlin time",
                id="two in one zone",
            ),
            pytest.param(
                (
                    Window(days=frozenset(range(7)), start=time(22, 30), end=time(), zone=BERLIN),
                    Window(days=frozenset({0, 2, 4, 5, 6}), start=time(1), end=time(2), zone=ZoneInfo("UTC")),
                ),
                "every day from 22:30 to 24:00, Europe/Berlin time, or "
                "Mon, Wed, Fri to Sun from 01:00 to 02:00, UTC time",
                id="two zones",
            ),
        ],
    )
    def test_words(self, windows: tuple[Window, ...], said: str) -> None:
        """Days are drawn together, and each zone is said once."""
        assert describe(windows) == said

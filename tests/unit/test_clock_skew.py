"""What is known of the time at a service from the dates of its answers, whatever our own clock shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from structlog.testing import capture_logs

from bot.clock_skew import ServiceClock, believable, read_date

NOON = datetime(2026, 11, 30, 12, 0, 0, 700_000, tzinfo=UTC)


@dataclass
class World:
    """A service whose time is right, and a machine whose time of day is off by ``ahead``."""

    ahead: timedelta = timedelta(0)
    seconds: float = 0.0
    clock: ServiceClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = ServiceClock("Telnyx", now=lambda: self.seconds, wall=self.wall)

    def wall(self) -> float:
        """Return our time of day, seconds since 1970."""
        return (self.there + self.ahead).timestamp()

    @property
    def there(self) -> datetime:
        """The time at the service."""
        return NOON + timedelta(seconds=self.seconds)

    def ask(self, *, out: float = 0.05, back: float = 0.05) -> None:
        """Ask something; the request takes ``out`` seconds and the answer ``back``."""
        asked = self.seconds
        self.seconds += out
        date = format_datetime(self.there.replace(microsecond=0), usegmt=True)
        self.seconds += back
        self.clock.learn(date, asked)


def test_nothing_is_known_before_the_first_answer() -> None:
    """Without a dated answer there is no time, and nothing to warn of."""
    world = World()
    world.clock.learn(None, 0.0)
    world.clock.learn("yesterday", 0.0)
    world.clock.learn("Mon, 30 Nov 99999 12:00:00 GMT", 0.0)

    assert (world.clock.earliest, world.clock.latest, world.clock.skew) == (None, None, "")


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=1), timedelta(days=-400)], ids=str)
@pytest.mark.parametrize(("out", "back"), [(0.0, 0.0), (2.9, 0.1), (0.1, 25.0)])
def test_the_time_there_is_between_the_bounds(ahead: timedelta, out: float, back: float) -> None:
    """However slow the answer and however wrong our clock, the true time lies between the two."""
    world = World(ahead)
    world.ask(out=out, back=back)

    for _ in range(3):
        assert world.clock.earliest is not None
        assert world.clock.latest is not None
        assert world.clock.earliest <= world.there <= world.clock.latest
        world.seconds += 3600.4


def test_a_step_of_our_clock_does_not_move_theirs() -> None:
    """What is known of their time does not depend on our time of day."""
    world = World()
    world.ask()
    before = world.clock.earliest

    world.ahead = timedelta(hours=-1)

    assert before == world.clock.earliest


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(seconds=28), ""),
        (timedelta(seconds=-28), ""),
        (timedelta(seconds=45), "45 s ahead of Telnyx's clock"),
        (timedelta(minutes=6), "6 min ahead of Telnyx's clock"),
        (timedelta(hours=-3), "3 h behind Telnyx's clock"),
        (timedelta(days=400), "400 days ahead of Telnyx's clock"),
    ],
    ids=str,
)
def test_a_skew_of_more_than_half_a_minute_is_told(ahead: timedelta, said: str) -> None:
    """By how much, in which way, and compared with whom."""
    world = World(ahead)
    world.ask()

    assert (said in world.clock.skew) if said else not world.clock.skew
    assert (abs(world.clock.seconds - ahead.total_seconds()) < 2) if said else (world.clock.seconds == 0)


def test_a_skew_is_logged_once_and_once_when_it_is_over() -> None:
    """A thousand answers say it no more often than the first."""
    world = World(timedelta(minutes=6))
    with capture_logs() as logs:
        for _ in range(5):
            world.ask()
        world.ahead = timedelta(0)
        for _ in range(5):
            world.ask()

    told = [(line["log_level"], line["event"]) for line in logs]
    assert told == [("error", "clocks differ"), ("warning", "clocks agree again")]
    assert not world.clock.skew


def test_a_slow_answer_proves_no_skew_and_ends_none() -> None:
    """An answer that took a minute fits a clock that is right and one that is half a minute off."""
    right, wrong = World(), World(timedelta(seconds=45))
    right.ask(out=60)
    wrong.ask()
    wrong.ask(back=40)

    assert not right.clock.skew
    assert wrong.clock.skew


def test_a_time_of_theirs_is_told_in_ours() -> None:
    """An estimate that comes from there is shown by the clock that people see here."""
    world = World(timedelta(hours=2))
    world.ask()

    shown = world.clock.here(world.there + timedelta(minutes=5))

    assert abs(shown - (world.there + timedelta(hours=2, minutes=5))) <= timedelta(seconds=1)


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

"""The time at other services, according to the ``Date`` of their answers, and its difference from ours.

A time from a service is either plausible or ignored.

No decision compares our clock with theirs. A question to a service such as "since when" or "for how long" uses that
service's own time, which :class:`ServiceClock` knows within a few seconds without using our time of day: it counts on
from the latest answer with a clock that nobody sets.

A service clock knows two bounds, because ``Date`` has whole seconds and an answer takes time to arrive: the time there
was at least ``Date`` when the answer arrived, and less than a second more when the request went out. Each answer
narrows them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import structlog

from bot.machine import steady, wall

log = structlog.get_logger(__name__)

#: A larger difference than this is reported.
TOLERATED: Final = timedelta(seconds=30)
#: The resolution of ``Date`` (RFC 9110, 5.6.7).
_RESOLUTION: Final = 1.0


class ServiceClock:
    """The clock of one service, called ``title`` for people.

    ``now`` counts seconds steadily, ``wall`` is our time of day in seconds since 1970; the latter is only compared with
    the service's to report the difference.
    """

    def __init__(self, title: str, *, now: Callable[[], float] = steady, wall: Callable[[], float] = wall) -> None:
        self._title = title
        self._now = now
        self._wall = wall
        #: Their time minus our steady clock, in seconds: lower and upper bound.
        self._bounds: tuple[float, float] | None = None
        self._skew: timedelta | None = None

    def learn(self, date: str | None, asked: float) -> None:
        """Take in the ``Date`` of an answer that just arrived for a request sent at ``asked`` (steady).

        A missing or unreadable header tells nothing.
        """
        moment = read_date(date)
        if moment is None:
            return
        self.take_in(moment.timestamp(), asked, resolution=_RESOLUTION)

    def take_in(self, said: float, asked: float, *, resolution: float) -> None:
        """Take in the time of an answer that just arrived, in seconds since 1970, truncated to ``resolution``."""
        came = self._now()
        low, high = said - came, said + resolution - asked
        if self._bounds is not None and max(low, self._bounds[0]) <= min(high, self._bounds[1]):
            low, high = max(low, self._bounds[0]), min(high, self._bounds[1])
        # Otherwise their clock was set, or it is another one: the newer time counts.
        self._bounds = low, high
        self._compare(said, came - asked + resolution)

    @property
    def earliest(self) -> datetime | None:
        """The least possible time there, aware UTC; None before the first dated answer."""
        return None if self._bounds is None else datetime.fromtimestamp(self._now() + self._bounds[0], UTC)

    @property
    def latest(self) -> datetime | None:
        """The latest possible time there, aware UTC; None before the first dated answer."""
        return None if self._bounds is None else datetime.fromtimestamp(self._now() + self._bounds[1], UTC)

    def here(self, moment: datetime) -> datetime:
        """Return the time of our clock when theirs shows ``moment``, as far as known."""
        if (earliest := self.earliest) is None:
            return moment
        try:
            return datetime.fromtimestamp(self._wall(), UTC) + (moment - earliest)
        except OverflowError:
            return moment

    @property
    def seconds(self) -> float:
        """By how many seconds our clock is at least ahead of theirs, negative when behind; 0 while tolerable."""
        return self._skew.total_seconds() if self._skew is not None else 0.0

    @property
    def skew(self) -> str:
        """A sentence with the difference between the clocks, and what to do; empty while it is tolerable."""
        if self._skew is None:
            return ""
        way = "ahead of" if self._skew > timedelta(0) else "behind"
        return (
            f"This machine's clock is {length(self.seconds)} {way} {self._title}'s clock. Nothing is done twice "
            "or left out because of it, but start times and displayed times are wrong by as much: check this machine's "
            "time synchronisation (NTP)."
        )

    def _compare(self, date: float, within: float) -> None:
        """Compare a time of the last seconds with our clock: only certain differences begin or end a skew."""
        most = timedelta(seconds=self._wall() - date)
        least = most - timedelta(seconds=within)
        if least > TOLERATED or most < -TOLERATED:
            found = least if least > TOLERATED else most
            if self._skew is None:
                log.error("clocks differ", service=self._title, seconds=round(found.total_seconds()))
            self._skew = found
        elif self._skew is not None and least >= -TOLERATED and most <= TOLERATED:
            log.warning("clocks agree again", service=self._title)
            self._skew = None


def read_date(text: str | None) -> datetime | None:
    """Return the time of an HTTP date as aware UTC; None if it is not plausible."""
    try:
        return believable(parsedate_to_datetime(text or ""))
    except (ValueError, OverflowError):
        return None


def length(span: float) -> str:
    """Return this number of seconds, without its sign, for people."""
    seconds = round(abs(span))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 172_800 else f"{round(seconds / 86_400)} days"


#: Nothing here began earlier or will end later. At the limits of the calendar every addition is an error.
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def believable(moment: datetime) -> datetime | None:
    """Return ``moment`` as aware UTC, assuming UTC without a zone; None outside 2000 to 2100.

    The year 1 with an offset has no time in UTC at all.
    """
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return aware if _FIRST <= aware < _LAST else None

"""Change windows: the hours in which changes may be sent.

A window is open while the local time of its time zone is inside it. When clocks go forward, the skipped hour is in no
window; when they go back, the repeated hour is twice inside or twice outside. A window that ends at or before its start
ends on the next day; its days are the days on which it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY: Final = timedelta(days=1)
#: Clocks going forward can skip a weekly window, and once skipped a whole day, but never three weeks in a row.
_HORIZON: Final = timedelta(weeks=3)
#: No zone has set its clocks forward and back within this time.
_STEP: Final = timedelta(hours=6)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Weekly hours; from midnight to midnight is the whole day."""

    #: On which days it begins: Monday is 0. At least one.
    days: frozenset[int]
    #: Local time of its first instant.
    start: time
    #: Local time of the first instant after it; on the next day unless later than ``start``.
    end: time
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if not self.days or not self.days <= set(range(7)):
            raise ValueError("a window begins on at least one day of 0 (Monday) to 6 (Sunday)")
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("the times of a window are those of its zone")


def open_at(windows: Sequence[Window], now: datetime) -> bool:
    """Return whether changes may be sent at ``now`` (aware): one window is open, or there are none at all."""
    if now.tzinfo is None:
        raise ValueError("now has to be aware")
    return not windows or any(_open(window, now) for window in windows)


def next_opening(windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return the first instant from ``now`` (aware) on at which changes may be sent; ``now`` itself if they may.

    The instant is in UTC unless it is ``now``. None when there is none within three weeks, which clocks have never
    caused.
    """
    if open_at(windows, now):
        return now
    return min((instant for window in windows for instant in _openings(window, now)), default=None)


def describe(windows: Sequence[Window]) -> str:
    """Return "Mon to Fri from 20:00 to 22:00 or Sun all day, Europe/Berlin time"; "at any time" for none."""
    parts = [
        f"{' or '.join(f'{_days(window.days)} {_hours(window)}' for window in same)}, {zone} time"
        for zone, same in groupby(windows, key=lambda window: window.zone.key)
    ]
    return ", or ".join(parts) or "at any time"


def _open(window: Window, now: datetime) -> bool:
    shown = now.astimezone(window.zone).replace(tzinfo=None)
    return any(_within(window, shown, begins=shown - back) for back in (timedelta(), _DAY))


def _within(window: Window, shown: datetime, *, begins: datetime) -> bool:
    """Return whether ``shown``, a local time, is in the window that begins on the day of ``begins``."""
    start, end = datetime.combine(begins, window.start), datetime.combine(begins, window.end)
    return begins.weekday() in window.days and start <= shown < (end if end > start else end + _DAY)


def _openings(window: Window, now: datetime) -> Iterator[datetime]:
    """Yield instants after ``now`` at which the window is open, including the first one."""
    since = now.astimezone(UTC)
    for instant in (*_starts(window, since), *_shifts(window.zone, since)):
        if instant > since and _open(window, instant):
            yield instant


def _starts(window: Window, since: datetime) -> Iterator[datetime]:
    """Yield the instants at which the clock shows the start of the window; a repeated time gives two."""
    today = since.astimezone(window.zone).replace(tzinfo=None)
    for ahead in range(-1, _HORIZON.days + 1):
        day = today + ahead * _DAY
        if day.weekday() in window.days:
            for fold in (0, 1):
                yield datetime.combine(day, window.start, window.zone).replace(fold=fold).astimezone(UTC)


def _shifts(zone: ZoneInfo, since: datetime) -> Iterator[datetime]:
    """Yield the instants at which the zone's clocks change, which may be in the middle of a window."""
    before = since.replace(microsecond=0)
    while before < since + _HORIZON:
        after = before + _STEP
        if _offset(zone, before) != _offset(zone, after):
            yield _shift(zone, before, after)
        before = after


def _shift(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first second with the offset of ``after``; both are whole seconds."""
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def _days(days: frozenset[int]) -> str:
    """Return "Mon to Thu, Sat"."""
    if len(days) == len(_DAYS):
        return "every day"
    # Within a run of neighbours, day and position grow alike.
    runs = [
        [_DAYS[day] for _, day in run]
        for _, run in groupby(enumerate(sorted(days)), key=lambda placed: placed[1] - placed[0])
    ]
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _hours(window: Window) -> str:
    if window.end == time.min:
        return "all day" if window.start == time.min else f"from {window.start:%H:%M} to 24:00"
    next_day = " the next day" if window.end <= window.start else ""
    return f"from {window.start:%H:%M} to {window.end:%H:%M}{next_day}"

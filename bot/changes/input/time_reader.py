"""From a typed time to one instant.

Typed text and not a date picker: people say "tonight 22:00"; a picker's time is in the viewer's zone and names none;
and a picked time cannot be cleared in every Slack client, while a text can.

Nothing is guessed. A time of day without a day is the next one; a time with two possible meanings is refused, with
words that have only one. A time that a zone's clocks skip is refused; of a time that they show twice, the first one
ahead is meant, and it is shown with its offset from UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NoReturn

from bot.changes.policy.wall_clock import instants, known_zone
from bot.errors import InvalidValue

#: How far ahead a change may be planned. It holds its numbers until then, and values rarely stay the same for longer.
AHEAD: Final = timedelta(days=30)
#: Texts that are understood, for people.
UNDERSTOOD: Final = (
    "Write it like: tonight 22:00, tomorrow 6am, Mon 06:30, Nov 30 02:00, 2026-11-30 02:00 UTC, in 2 hours."
)

_DAY: Final = timedelta(days=1)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY: Final = re.compile(
    r"mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
)
_DATES: Final = (
    re.compile(r"(?P<year>\d{4})-(?P<number>\d\d)-(?P<day>\d\d)", re.ASCII),
    re.compile(_MONTH + r" (?P<day>\d{1,2})(?:st|nd|rd|th)?(?: (?P<year>\d{4}))?", re.ASCII),
    re.compile(r"(?P<day>\d{1,2})(?:\.|st|nd|rd|th)? " + _MONTH + r"(?: (?P<year>\d{4}))?", re.ASCII),
)
_TIME: Final = re.compile(
    r"(?<![\w:.])(?:(?P<hour>\d{1,2}):(?P<minute>\d\d) ?(?P<half>am|pm)?|(?P<only>\d{1,2}) ?(?P<its>am|pm)"
    r"|(?P<word>noon|midnight))(?![\w:.])",
    re.ASCII,
)
_PART: Final = re.compile(r"(\d{1,6}|an?) ?(m|min|mins|minutes?|h|hrs?|hours?|d|days?|weeks?)(?= |\d|$)", re.ASCII)
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": _DAY, "w": timedelta(weeks=1)}
#: A night lasts from this hour to the same hour of the next day.
_EVENING: Final = time(17)
_MORNING: Final = time(6)


class TimeReader:
    """Reads one text without a time zone, in ``zone``.

    ``bound`` begins the sentence about the limit :data:`AHEAD`. With ``days``, a day may stand alone. Raises
    :class:`bot.errors.InvalidValue` with what is wrong.
    """

    def __init__(self, said: str, now: datetime, zone: str, bound: str, *, days: bool) -> None:
        self._said = said
        self._bound = bound
        self._days_alone = days
        words = re.sub(r"(?<=\d)t(?=\d)", " ", said.lower())
        self._text = " ".join(word for word in words.split() if word not in {"at", "on"})
        self._now = now
        self._zone_name = zone
        self._zone = known_zone(zone)
        self._today = now.astimezone(self._zone).date()

    def after(self) -> datetime:
        """Return the instant of "in 2 hours", on the next full minute: never earlier than shown."""
        rest = self._text.removeprefix("in ")
        length = timedelta()
        try:
            while part := _PART.match(rest):
                length += (1 if part[1] in {"a", "an"} else int(part[1])) * _UNITS[part[2][0]]
                rest = rest[part.end() :].strip()
            at = (self._now + length).astimezone(UTC)
        except OverflowError:
            self._too_far()
        if rest or not length:
            self._not_understood()
        return at if at == at.replace(second=0, microsecond=0) else at.replace(second=0, microsecond=0) + _UNITS["m"]

    def on_the_wall(self) -> datetime:
        """Return the instant of a day and a time of day on the clocks of the zone."""
        found = list(_TIME.finditer(self._text))
        if not found and self._days_alone and (self._text == "tomorrow" or self._names_a_day(self._text)):
            return self._first_minute()
        if len(found) != 1:
            if not found and (self._text in {"today", "tonight", "tomorrow"} or self._names_a_day(self._text)):
                raise InvalidValue(f"Add a time: {self._said} 22:00.")
            self._not_understood()
        wanted, later = self._time(found[0])
        day = f"{self._text[: found[0].start()]} {self._text[found[0].end() :]}".strip()
        if day == "tonight":
            later = timedelta()  # 24:00 ends the night that 00:00 is in
        if found[0]["word"] == "midnight" and day not in {"", "tonight"}:
            raise InvalidValue(
                "“midnight” could mean either of two days; write 00:00 or 24:00 with the day that you mean."
            )
        return self._first([each + later for each in self._days(day, wanted)], wanted)

    def _first_minute(self) -> datetime:
        """Return the beginning of a day that stands alone."""
        if self._text[:3] == _WEEKDAYS[self._today.weekday()] and _WEEKDAY.fullmatch(self._text):
            raise InvalidValue(
                f"It is {self._today:%A} today, so “{self._said}” could mean today or in a week: add a time, or write "
                "a date."
            )
        return self._first(self._days(self._text, time(0)), time(0), day_alone=True)

    def _time(self, found: re.Match[str]) -> tuple[time, timedelta]:
        """Return the time of day, and how many days later than written it is: one for 24:00."""
        if found["word"]:
            return time(12 if found["word"] == "noon" else 0), timedelta()
        hour, minute = int(found["hour"] or found["only"]), int(found["minute"] or 0)
        half = found["half"] or found["its"]
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half == "pm" else 0)
        elif half or hour > 24 or (hour == 24 and minute):
            self._no_time(found[0])
        if minute > 59:
            self._no_time(found[0])
        return time(hour % 24, minute), _DAY * (hour // 24)

    def _days(self, said: str, wanted: time) -> Sequence[date]:
        """Return the days that may be meant, in order; of several, the first whose time has not passed counts."""
        if not said:
            return [self._today, self._today + _DAY]
        if said == "today":
            return [self._today]
        if said == "tomorrow":
            return [self._today + _DAY]
        if said == "tonight":
            return [self._night(wanted)]
        if _WEEKDAY.fullmatch(said):
            ahead = (_WEEKDAYS.index(said[:3]) - self._today.weekday()) % 7
            return [self._today + ahead * _DAY, self._today + (ahead + 7) * _DAY]
        return self._dates(said)

    def _night(self, wanted: time) -> date:
        """Return the day on which the current or next night has that time."""
        if _MORNING <= wanted < _EVENING:
            raise InvalidValue(f"{wanted:%H:%M} is not at night; say today or tomorrow.")
        within = self._now.astimezone(self._zone).time() < _MORNING
        return self._today if within or wanted >= _EVENING else self._today + _DAY

    def _names_a_day(self, said: str) -> bool:
        return bool(_WEEKDAY.fullmatch(said)) or any(each.fullmatch(said) for each in _DATES)

    def _dates(self, said: str) -> Sequence[date]:
        found = next((match for each in _DATES if (match := each.fullmatch(said))), None)
        if found is None:
            self._not_understood()
        parts = found.groupdict()
        month = int(parts["number"]) if parts.get("number") else _MONTHS.index(parts["month"][:3]) + 1
        # Without a year, the next such day. A year that is clearly out of range is not used in a calculation.
        years = [int(parts["year"])] if parts["year"] else [self._today.year, self._today.year + 1]
        if years[0] > self._today.year + 1:
            self._too_far()
        if years[0] < self._today.year - 1:
            raise InvalidValue(f"{self._said} has passed.")
        days = list(_existing(years, month, int(parts["day"])))
        if not days:
            raise InvalidValue(f"There is no day {said}.")
        return days

    def _first(self, days: Sequence[date], wanted: time, *, day_alone: bool = False) -> datetime:
        """Return the first instant ahead; when all have passed, the last one.

        For a ``day_alone`` nobody gave a time: a day that begins while clocks go forward has another first minute.
        """
        last = self._now
        for day in days:
            wall = datetime.combine(day, wanted)
            shown = instants(wall, self._zone)
            if not shown and day_alone:
                shown = [wall.replace(tzinfo=self._zone).astimezone(UTC)]  # just after the step
            if not shown and wall.replace(tzinfo=self._zone) > self._now:
                self._skipped(wall)
            for last in shown:
                if last > self._now:
                    return last
        return last

    def _skipped(self, wall: datetime) -> NoReturn:
        before, after = (
            wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC).astimezone(self._zone) for fold in (1, 0)
        )
        raise InvalidValue(
            f"Clocks in {self._zone_name} go forward and never show {wall:%H:%M} on {wall:%a %b} {wall.day}; "
            f"say {before:%H:%M} or {after:%H:%M}."
        )

    def _no_time(self, said: str) -> NoReturn:
        raise InvalidValue(f"“{said}” is not a valid time. {UNDERSTOOD}")

    def _too_far(self) -> NoReturn:
        raise InvalidValue(f"“{self._said}” is too far ahead: {self._bound} {AHEAD.days} days at most.")

    def _not_understood(self) -> NoReturn:
        raise InvalidValue(f"“{self._said}” is not understood. {UNDERSTOOD}")


def _existing(years: Iterable[int], month: int, day: int) -> Iterable[date]:
    for year in years:
        try:
            yield date(year, month, day)
        except ValueError:
            continue

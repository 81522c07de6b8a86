"""When a change is to start, and when a temporary one ends: from what a person typed to one instant.

Typed text and no date picker: "tonight 22:00" is how people say it, a picker's time is in the zone of whoever looks
at it and names none, and a picked time cannot be taken back in every Slack client, while a text can be emptied.

Nothing is guessed. A time of day without a day is the next one; whatever could mean two things is refused with words
that mean one. A time that a zone's clocks skip is refused; of one that they show twice, the first that is ahead is
meant, and it is shown with its offset from UTC.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NoReturn

from bot.changes.model.rollout import Pause
from bot.changes.policy.wall_clock import instants, known_zone, show_instant
from bot.changes.policy.windows import Window, next_opening
from bot.errors import InputError

#: The form's fields.
START: Final = "start"
UNTIL: Final = "until"
#: How far ahead a change may be planned. It holds its numbers until then, and values rarely keep still for longer.
AHEAD: Final = timedelta(days=30)
#: How long a temporary change lasts at least: nothing is sent to be taken back before it has been read back.
LEAST: Final = timedelta(minutes=10)
#: What can be typed, for people.
EXAMPLES: Final = "tonight 22:00, tomorrow 6am, Mon 06:30, Nov 30 02:00, 2026-11-30 02:00 UTC, in 2 hours"
#: Longest text, in characters.
LENGTH: Final = 60

_NOW: Final = frozenset({"", "now", "at once", "immediately", "asap"})
_DAY: Final = timedelta(days=1)
#: Where :func:`bot.changes.policy.windows.next_opening` gives up.
_NEVER: Final = timedelta(weeks=3)
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
_ZONE: Final = re.compile(r"(.+?)(?: |(?<=\d)(?=[zZ]$))(z|utc|gmt|[a-z_]+(?:/[a-z0-9_+-]+)+)", re.IGNORECASE | re.ASCII)
_PART: Final = re.compile(r"(\d{1,6}|an?) ?(m|min|mins|minutes?|h|hrs?|hours?|d|days?|weeks?)(?= |\d|$)", re.ASCII)
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": _DAY, "w": timedelta(weeks=1)}
#: A night: from this hour on until that one of the next day.
_EVENING: Final = time(17)
_MORNING: Final = time(6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """When a change is to start."""

    #: A whole minute, in UTC.
    at: datetime
    #: Name of the time zone in which it was meant, such as ``Europe/Berlin``.
    zone: str

    def __str__(self) -> str:
        """Return ``Mon Nov 30, 2026, 02:00 (Europe/Berlin)``; with the offset when clocks show that time twice."""
        return show_instant(self.at, self.zone)


@dataclass(frozen=True, kw_only=True, slots=True)
class End(Start):
    """When a temporary change ends."""


def read_end(
    text: str, *, now: datetime, zone: str, start: Start | None, pauses: timedelta = timedelta()
) -> End | None:
    """Return when ``text`` says that a change that starts at ``start`` ends; None for one that lasts.

    ``pauses`` is how long the last wave of a rollout waits for those before it, by the plan.
    Raises :class:`bot.errors.InputError` under :data:`UNTIL`; see :func:`read_start` for the rest.
    """
    if not text.strip():
        return None
    try:
        read = read_start(text, now=now, zone=zone, bound="a temporary change can last")
    except InputError as error:
        raise InputError({UNTIL: error.problems[START]}) from error
    begins = max(start.at, now) if start else now
    if read is None or read.at < begins + pauses + LEAST:
        earliest, minutes = show_instant(begins + pauses + LEAST, known_zone(zone).key), LEAST // _UNITS["m"]
        least = f"A temporary change lasts {minutes} minutes at least: end it after {earliest}."
        if pauses:
            least = (
                f"The pauses between its waves take {Pause(length=pauses)}, so the last wave would come too late: end "
                f"it after {earliest}, or shorten the pauses."
            )
        raise InputError({UNTIL: least})
    return End(at=read.at, zone=read.zone)


def read_start(
    text: str, *, now: datetime, zone: str, bound: str = "a change can wait", days: bool = False
) -> Start | None:
    """Return when ``text`` says; None for as soon as it may.

    ``now`` (aware) is when it was said, ``zone`` the IANA name of the zone in which it was meant unless the text names
    one. ``bound`` begins to say what is limited by :data:`AHEAD`. With ``days`` a day may stand alone, and its first
    minute is meant. Raises :class:`bot.errors.InputError` under :data:`START`.
    """
    said = _said(text)
    if said.lower() in _NOW:
        return None
    if len(said) > LENGTH:
        _refuse(f"That is too long to be a time. {_understood()}")
    if named := _ZONE.fullmatch(said):
        said, zone = named[1], _zone_name(named[2])
    zone = known_zone(zone).key
    reader = _StartReader(said, now, zone, bound, days=days)
    at = reader.after() if counts_from_now(said) else reader.on_the_wall()
    if at <= now:
        _refuse(f"{show_instant(at, zone)} has passed: it is {show_instant(now, zone)} now.")
    if at > now + AHEAD:
        latest = show_instant(now + AHEAD, zone)
        _refuse(f"{show_instant(at, zone)} is too far ahead: {bound} {AHEAD.days} days, until {latest}.")
    return Start(at=at, zone=zone)


def counts_from_now(text: str) -> bool:
    """Tell whether ``text`` says a length of time, such as "in 4 hours", which means another instant every day."""
    return _said(text).lower().startswith("in ")


def begins_at(start: Start | None, windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return when a change may begin at the earliest: not before its start, and in a window. None when it may now."""
    since = max(start.at, now) if start else now
    begins = next_opening(windows, since) or since + _NEVER
    return begins if begins > now else None


class _StartReader:
    """Reads one text."""

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
        """Return what "in 2 hours" means, on the next full minute: never before what is shown."""
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
        """Return what a day and a time of day mean on the clocks of the zone."""
        found = list(_TIME.finditer(self._text))
        if not found and self._days_alone and (self._text == "tomorrow" or self._names_a_day(self._text)):
            return self._first_minute()
        if len(found) != 1:
            if not found and (self._text in {"today", "tonight", "tomorrow"} or self._names_a_day(self._text)):
                _refuse(f"Add a time: {self._said} 22:00.")
            self._not_understood()
        wanted, later = self._time(found[0])
        day = f"{self._text[: found[0].start()]} {self._text[found[0].end() :]}".strip()
        if day == "tonight":
            later = timedelta()  # the night that 24:00 ends is the one that 00:00 is in
        if found[0]["word"] == "midnight" and day not in {"", "tonight"}:
            _refuse("“midnight” could mean either of two days; write 00:00 or 24:00 with the day that you mean.")
        return self._first([each + later for each in self._days(day, wanted)], wanted)

    def _first_minute(self) -> datetime:
        """Return when the day begins that stands alone."""
        if self._text[:3] == _WEEKDAYS[self._today.weekday()] and _WEEKDAY.fullmatch(self._text):
            _refuse(
                f"It is {self._today:%A} today, so “{self._said}” could mean today or in a week: add a time, or write "
                "a date."
            )
        return self._first(self._days(self._text, time(0)), time(0), day_alone=True)

    def _time(self, found: re.Match[str]) -> tuple[time, timedelta]:
        """Return the time of day, and how many days later it is than said: one for 24:00."""
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
        """Return the days that may be meant, in order; of more than one, the first whose time has not passed."""
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
        """Return the day on which the night that is on, or that comes next, has that time."""
        if _MORNING <= wanted < _EVENING:
            _refuse(f"{wanted:%H:%M} is not at night; say today or tomorrow.")
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
        # Without a year, the next such day. A year that is surely out of reach is not computed with.
        years = [int(parts["year"])] if parts["year"] else [self._today.year, self._today.year + 1]
        if years[0] > self._today.year + 1:
            self._too_far()
        if years[0] < self._today.year - 1:
            _refuse(f"{self._said} has passed.")
        days = list(_existing(years, month, int(parts["day"])))
        if not days:
            _refuse(f"There is no day {said}.")
        return days

    def _first(self, days: Sequence[date], wanted: time, *, day_alone: bool = False) -> datetime:
        """Return the first instant that is ahead; when all have passed, the last one.

        Of a ``day_alone`` nobody said the time: one that begins while clocks go forward has another first minute.
        """
        last = self._now
        for day in days:
            wall = datetime.combine(day, wanted)
            shown = instants(wall, self._zone)
            if not shown and day_alone:
                shown = [wall.replace(tzinfo=self._zone).astimezone(UTC)]  # by the clocks before, and so just after it
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
        _refuse(
            f"Clocks in {self._zone_name} go forward and never show {wall:%H:%M} on {wall:%a %b} {wall.day}; "
            f"say {before:%H:%M} or {after:%H:%M}."
        )

    def _no_time(self, said: str) -> NoReturn:
        _refuse(f"“{said}” is not a valid time. {_understood()}")

    def _too_far(self) -> NoReturn:
        _refuse(f"“{self._said}” is too far ahead: {self._bound} {AHEAD.days} days at most.")

    def _not_understood(self) -> NoReturn:
        _refuse(f"“{self._said}” is not understood. {_understood()}")


def _said(text: str) -> str:
    """Return ``text`` without what does not matter of how it was typed."""
    return " ".join(unicodedata.normalize("NFKC", text).replace(",", " ").split())


def _existing(years: Iterable[int], month: int, day: int) -> Iterable[date]:
    for year in years:
        try:
            yield date(year, month, day)
        except ValueError:
            continue


def _zone_name(said: str) -> str:
    if said.lower() in {"z", "utc", "gmt"}:
        return "UTC"
    name = "/".join("_".join(word.capitalize() for word in part.split("_")) for part in said.split("/"))
    known = [each for each in (said, name) if known_zone(each).key == each]
    if not known:
        _refuse(f"“{said}” is not a valid time zone; write it like Europe/Berlin, or say UTC.")
    return known[0]


def _understood() -> str:
    return f"Write it like: {EXAMPLES}."


def _refuse(problem: str) -> NoReturn:
    raise InputError({START: problem})

"""From typed text to the start or end of a change."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Final

from bot.changes.input.time_reader import AHEAD, UNDERSTOOD, TimeReader
from bot.changes.model.rollout import Pause
from bot.changes.model.start import End, Start
from bot.changes.policy.wall_clock import known_zone, show_instant
from bot.errors import InputError, InvalidValue

#: The form's fields.
START: Final = "start"
UNTIL: Final = "until"
#: Shortest time that a temporary change lasts: nothing is sent only to be taken back before its read-back.
LEAST: Final = timedelta(minutes=10)
#: Longest text, in characters.
LENGTH: Final = 60

#: What a person reads when Slack does not tell their time zone: any other one would be a guess.
NO_ZONE: Final = "Slack did not give your time zone, so it is unclear which time you mean. Try again in a minute."

#: Words that may stand before an end -> the beginning of the time that replaces them.
_BEFORE_END: Final = {"until": "", "till": "", "for": "in "}
_NOW: Final = frozenset({"", "now", "at once", "immediately", "asap"})
_ZONE: Final = re.compile(r"(.+?)(?: |(?<=\d)(?=[zZ]$))(z|utc|gmt|[a-z_]+(?:/[a-z0-9_+-]+)+)", re.IGNORECASE | re.ASCII)


def read_end(
    text: str, *, now: datetime, zone: str, start: Start | None, pauses: timedelta = timedelta()
) -> End | None:
    """Return the end that ``text`` gives a change starting at ``start``; None for a lasting change.

    ``pauses`` is how long the last wave of a rollout waits for the earlier ones, according to the plan. Raises
    :class:`bot.errors.InputError` under :data:`UNTIL`; see :func:`read_end_time` for the rest.
    """
    if not text.strip():
        return None
    if not end_time(text):  # "until" without a time is not an empty field
        raise InputError({UNTIL: "Say until when, such as tomorrow 08:00."})
    read = read_end_time(text, now=now, zone=zone, bound="a temporary change can last")
    begins = max(start.at, now) if start else now
    if read is None or read.at < begins + pauses + LEAST:
        earliest, minutes = show_instant(begins + pauses + LEAST, known_zone(zone).key), LEAST // timedelta(minutes=1)
        least = f"A temporary change must last at least {minutes} minutes: end it after {earliest}."
        if pauses:
            least = (
                f"The pauses between its waves take {Pause(length=pauses)}, so the last wave would come too late: end "
                f"it after {earliest}, or shorten the pauses."
            )
        raise InputError({UNTIL: least})
    return End(at=read.at, zone=read.zone)


def end_time(text: str) -> str:
    """Return the time in ``text``, without a word such as "until" before it: ``for 2 days`` becomes ``in 2 days``.

    Empty when there is only such a word.
    """
    said = _said(text)
    word, _, rest = said.partition(" ")
    before = _BEFORE_END.get(word.lower())
    if before is None:
        return said
    return f"{before}{rest}" if rest else ""


def read_end_time(text: str, *, now: datetime, zone: str, bound: str, days: bool = False) -> Start | None:
    """Return the end in ``text``: ``until Mon 08:00``, ``till tonight 22:00``, ``for 2 days``, or without such a word.

    None for "now" and for an empty text. Raises :class:`bot.errors.InputError` under :data:`UNTIL`; see
    :func:`read_start` for the rest.
    """
    said = end_time(text)
    try:
        return read_start(said, now=now, zone=zone, bound=bound, days=days)
    except InputError as error:
        problem = error.problems[START]
        if _said(text).lower().startswith("for "):
            problem = problem.replace(f"“{said}”", f"“for {said.removeprefix('in ')}”")
        raise InputError({UNTIL: problem}) from error


def read_start(
    text: str, *, now: datetime, zone: str, bound: str = "a change can wait", days: bool = False
) -> Start | None:
    """Return the time in ``text``; None for as soon as possible.

    ``now`` (aware) is when it was typed, ``zone`` the IANA name of the zone it was meant in unless the text names one.
    ``bound`` begins the sentence about the limit :data:`AHEAD`. With ``days``, a day may stand alone, and its first
    minute is meant. Raises :class:`bot.errors.InputError` under :data:`START`.
    """
    try:
        return _read_start(text, now, zone, bound, days=days)
    except InvalidValue as error:
        raise InputError({START: str(error)}) from error


def _read_start(text: str, now: datetime, zone: str, bound: str, *, days: bool) -> Start | None:
    said = _said(text)
    if said.lower() in _NOW:
        return None
    if len(said) > LENGTH:
        raise InvalidValue(f"That is too long to be a time. {UNDERSTOOD}")
    if named := _ZONE.fullmatch(said):
        said, zone = named[1], _zone_name(named[2])
    zone = known_zone(zone).key
    reader = TimeReader(said, now, zone, bound, days=days)
    at = reader.after() if counts_from_now(said) else reader.on_the_wall()
    if at <= now:
        raise InvalidValue(f"{show_instant(at, zone)} has passed: it is {show_instant(now, zone)} now.")
    if at > now + AHEAD:
        latest = show_instant(now + AHEAD, zone)
        raise InvalidValue(f"{show_instant(at, zone)} is too far ahead: {bound} {AHEAD.days} days, until {latest}.")
    return Start(at=at, zone=zone)


def counts_from_now(text: str) -> bool:
    """Tell whether ``text`` is a length of time, such as "in 4 hours", which means another instant every day."""
    return _said(text).lower().startswith("in ")


def _said(text: str) -> str:
    """Return ``text`` without differences of typing that do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).replace(",", " ").split())


def _zone_name(said: str) -> str:
    if said.lower() in {"z", "utc", "gmt"}:
        return "UTC"
    name = "/".join("_".join(word.capitalize() for word in part.split("_")) for part in said.split("/"))
    known = [each for each in (said, name) if known_zone(each).key == each]
    if not known:
        raise InvalidValue(f"“{said}” is not a valid time zone; write it like Europe/Berlin, or say UTC.")
    return known[0]

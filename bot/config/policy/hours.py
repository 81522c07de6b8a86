"""The change windows of a rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import time
from difflib import get_close_matches
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from bot.changes.policy.windows import Window
from bot.config.policy.keys import WINDOWS, told
from bot.config.policy.tables import tables_in, values_of

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LIKE: Final = '{days="mon-fri", from="20:00", to="06:00", zone="Europe/Berlin"}'
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def read_windows(value: object, where: str, problems: list[str]) -> tuple[Window, ...] | None:
    """Return the windows of the rule called ``where``, or None and more ``problems``."""
    known = len(problems)
    tables = tables_in(value, WINDOWS, _LIKE, where, problems)
    if tables is None:
        return None
    if not tables:
        problems.append(
            f"{where}: windows is an empty list: remove it if changes may be sent at any time, or forbid them with "
            f"allow = false."
        )
        return None
    windows = [_window(entry, f"{where}, window {place}", problems) for place, entry in enumerate(tables, 1)]
    return None if len(problems) > known else tuple(window for window in windows if window is not None)


def _window(table: Mapping[str, object], where: str, problems: list[str]) -> Window | None:
    known = len(problems)
    read = values_of(table, _KEYS, "a key of a window: they are days, from, to and zone", where, problems)
    problems += [f"{where}: {key} is missing: give {_NEEDED[key]}." for key in _NEEDED if key not in table]
    if len(problems) > known:
        return None
    start, end = read["from"], read["to"]
    if start == end and table["to"] != "24:00":
        problems.append(
            f"{where}: from and to are both {start:%H:%M}, which leaves no time between them: "
            f'for the whole day write from = "00:00" and to = "24:00".'
        )
        return None
    return Window(days=read.get("days", frozenset(range(7))), start=start, end=end, zone=read["zone"])


def _days(value: object) -> frozenset[int]:
    """Return the days of "mon-fri", "sat", "mon, wed-thu", "fri-mon" or "daily"."""
    problem = ValueError(f'must be days such as "mon-fri", "mon, wed, sat-sun" or "daily", not {told(value)}')
    if not isinstance(value, str):
        raise problem
    if value.strip().lower() == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in value.lower().split(","):
        ends = [end.strip() for end in part.split("-")]
        if len(ends) > 2 or not set(ends) <= set(_DAYS):
            raise problem
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        days |= {(first + ahead) % 7 for ahead in range((last - first) % 7 + 1)}
    return frozenset(days)


def _start(value: object) -> time:
    read = _TIME.fullmatch(value) if isinstance(value, str) else None
    if read is None:
        raise ValueError(f'must be a time such as "20:00", not {told(value)}')
    return time(int(read[1]), int(read[2]))


def _end(value: object) -> time:
    return time() if value == "24:00" else _start(value)


def _zone(value: object) -> ZoneInfo:
    if not isinstance(value, str):
        raise ValueError(f'must be a time zone such as "Europe/Berlin" or "UTC", not {told(value)}')  # noqa: TRY004 - one error for all that is unusable
    try:
        return ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        # Unknown names, folders of zones, and texts that are not a path: each has its own error.
        names = available_timezones()
    if not names:
        raise ValueError("cannot be looked up, for no time zones are installed here: install the package tzdata")
    near = get_close_matches(value, names, n=1)
    hint = f"did you mean {near[0]}?" if near else 'give one such as "Europe/Berlin" or "UTC"'
    raise ValueError(f"is {told(value)}, which is not a time zone: {hint}")


_KEYS: Final[Mapping[str, Callable[[object], Any]]] = {"days": _days, "from": _start, "to": _end, "zone": _zone}
#: Required keys; without days, a window is daily.
_NEEDED: Final[Mapping[str, str]] = {
    "from": 'the time of day at which it opens, such as "20:00"',
    "to": 'the time of day at which it closes, such as "06:00"',
    "zone": 'the time zone of its hours, such as "Europe/Berlin"',
}

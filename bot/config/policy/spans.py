"""Lengths of time, in the notation of the policy file and for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

_UNITS: Final[Mapping[str, timedelta]] = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
#: How each unit is written for people.
_SPOKEN: Final[Mapping[str, str]] = {"d": "d", "h": "h", "m": "min", "s": "s"}
_SPAN: Final = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
#: The range of LINESMAN_APPROVAL_TTL, too.
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=365)


def read_span(value: object, told: str, *, also: str = "") -> timedelta:
    """Return the time that a text such as "90s", "15m", "4h" or "2d" means, from a minute to a year.

    Raises ValueError, which calls the value ``told`` and names the alternative ``also``.
    """
    read = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if read is None:
        raise ValueError(f'must be a time such as "90s", "15m", "4h" or "2d"{also}, not {told}')
    span = int(read[1]) * _UNITS[read[2]]
    if not SHORTEST <= span <= LONGEST:
        raise ValueError(f"must be a time from 1m to 365d{also}, not {told}")
    return span


def spoken(span: timedelta) -> str:
    """Return "4 h" or "1 d 30 min"."""
    parts = []
    for unit, length in _UNITS.items():
        count, span = divmod(span, length)
        if count:
            parts.append(f"{count} {_SPOKEN[unit]}")
    return " ".join(parts) or "0 s"

"""Local times of a time zone, and the instants at which its clocks show them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def known_zone(name: str) -> ZoneInfo:
    """Return the time zone with that name; UTC if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # a bad name, an unknown one, or a folder of zones
        return ZoneInfo("UTC")


def instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the instants at which clocks in ``zone`` show ``wall``: none when skipped, two when repeated."""
    both = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return [at for at in dict.fromkeys(both) if at.astimezone(zone).replace(tzinfo=None, fold=0) == wall]


def show_instant(at: datetime, zone: str) -> str:
    """Return ``Mon Nov 30, 2026, 02:00 (Europe/Berlin)``; with the offset when clocks show that time twice."""
    shown = at.astimezone(known_zone(zone))
    wall = shown.replace(tzinfo=None, fold=0)
    twice = len(instants(wall, known_zone(zone))) > 1
    offset = f" UTC{shown:%z}" if twice else ""
    return f"{shown:%a %b} {shown.day}, {shown:%Y, %H:%M}{offset} ({zone})"

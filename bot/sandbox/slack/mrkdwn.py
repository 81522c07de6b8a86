"""Slack's mrkdwn: how it reads to a person, and whom it would really notify.

Facts: only ``&``, ``<`` and ``>`` are special; ``<@U…>``, ``<!subteam^S…>`` and ``<!here|channel|everyone>`` notify;
``plain_text`` objects, raw table cells and rich-text ``text`` leaves are literal
(docs.slack.dev/messaging/formatting-message-text).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ANGLED = re.compile(r"<([^<>]*)>")
BROADCASTS = frozenset({"here", "channel", "everyone"})


@dataclass(frozen=True, kw_only=True)
class Mentions:
    """Everyone whom a message would notify."""

    #: user ids
    users: frozenset[str] = frozenset()
    #: user group ids
    groups: frozenset[str] = frozenset()
    #: ``here``, ``channel`` or ``everyone``
    broadcasts: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.users or self.groups or self.broadcasts)


def mentions(text: str, blocks: Iterable[Mapping[str, Any]]) -> Mentions:
    """Return whom ``text`` and ``blocks`` notify."""
    found = list(_in_text(text))
    for block in blocks:
        found.extend(_in_node(block))
    return Mentions(
        users=frozenset(name for sort, name in found if sort == "user"),
        groups=frozenset(name for sort, name in found if sort == "group"),
        broadcasts=frozenset(name for sort, name in found if sort == "broadcast"),
    )


def _in_text(text: str) -> Iterator[tuple[str, str]]:
    for match in ANGLED.finditer(text):
        target = match.group(1).partition("|")[0]
        if target.startswith("@"):
            yield "user", target[1:]
        elif target.startswith("!subteam^"):
            yield "group", target.removeprefix("!subteam^")
        elif target.removeprefix("!") in BROADCASTS and target.startswith("!"):
            yield "broadcast", target[1:]


def _in_node(node: object) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _in_node(item)
    if not isinstance(node, Mapping):
        return
    match node.get("type"):
        case "mrkdwn" | "markdown":
            yield from _in_text(str(node.get("text", "")))
        case "user" if "user_id" in node:
            yield "user", str(node["user_id"])
        case "usergroup" if "usergroup_id" in node:
            yield "group", str(node["usergroup_id"])
        case "broadcast" if "range" in node:
            yield "broadcast", str(node["range"])
        case _:
            for value in node.values():
                yield from _in_node(value)


@dataclass(frozen=True, kw_only=True)
class Names:
    """What ids are called, for showing text to a person."""

    people: Mapping[str, str]
    channels: Mapping[str, str]
    groups: Mapping[str, str]


def escape(text: str) -> str:
    """Return literal text as mrkdwn that shows it unchanged."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Undo :func:`escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def render_text(mrkdwn: str, names: Names, tz: str = "UTC") -> str:
    """Return mrkdwn as a person in the time zone ``tz`` reads it: names for ids, local dates, labels for links."""
    zone = zone_of(tz)

    def shown(match: re.Match[str]) -> str:
        target, bar, label = match.group(1).partition("|")
        return _angled(target, label if bar else None, names, zone)

    return unescape(ANGLED.sub(shown, mrkdwn))


def _angled(target: str, label: str | None, names: Names, zone: tzinfo) -> str:
    if target.startswith("@"):
        return "@" + names.people.get(target[1:], label or target[1:])
    if target.startswith("#"):
        return "#" + names.channels.get(target[1:], label or target[1:])
    if target.startswith("!subteam^"):
        group = target.removeprefix("!subteam^")
        return "@" + names.groups.get(group, (label or group).removeprefix("@"))
    if target.startswith("!date^"):
        return render_date(target, label, zone)
    if target.startswith("!"):
        return "@" + target[1:]
    return label if label is not None else target


def render_date(target: str, fallback: str | None, zone: tzinfo) -> str:
    """Return ``!date^<unix>^<format>`` in the zone; a malformed one shows its fallback as Slack does."""
    pieces = target.split("^")
    try:
        moment = datetime.fromtimestamp(int(pieces[1]), UTC).astimezone(zone)
        pattern = pieces[2]
    except (IndexError, ValueError, OverflowError, OSError):
        return fallback if fallback is not None else target
    day = f"{moment:%B} {moment.day}, {moment.year}"
    short = f"{moment:%b} {moment.day}, {moment.year}"
    clock = f"{moment:%I:%M %p}".lstrip("0")
    words = {
        "date_num": f"{moment:%Y-%m-%d}",
        "date_slash": f"{moment:%m/%d/%Y}",
        "date_long_full": f"{moment:%A}, {day}",
        "date_long_pretty": f"{moment:%A}, {day}",
        "date_long": f"{moment:%A}, {day}",
        "date_short_pretty": short,
        "date_short": short,
        "date_pretty": day,
        "date": day,
        "time_secs": f"{moment:%I:%M:%S %p}".lstrip("0"),
        "time": clock,
        "ago": f"{short} at {clock}",
    }
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found.group(1), found.group(0)), pattern)


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name; UTC for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC

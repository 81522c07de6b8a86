"""The keys of a rule, and how the value of each is read.

A reader returns the value, or raises ValueError with a text that follows the key: "must be true or false, …".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bot.changes.policy import ENVIRONMENT, Grant, OnStale
from bot.config.policy.spans import read_span

#: Longest text of a value that a problem repeats; a longer one could be a secret pasted into the wrong place.
_SHOWN: Final = 24
#: No count is larger; the database could not hold it.
_MOST: Final = 1_000_000_000
#: Longest name of a rule, in characters.
NAME_LENGTH: Final = 60
_WHY_LENGTH: Final = 300
#: The key above all rules.
READERS: Final = "readers"
#: The keys of a rule whose values are lists of tables.
WINDOWS: Final = "windows"
STAGES: Final = "stages"
_CHANNEL: Final = re.compile(r"[CG][A-Z0-9]{2,}")
_KIND: Final = re.compile(r"[a-z0-9_*]+(?:\.[a-z0-9_*]+)*")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a rule."""

    #: Name of the field of :class:`bot.changes.policy.Rule`.
    field: str
    read: Callable[[object], Any]
    #: In Markdown, for the table in .github/POLICY.md.
    meaning: str


def sentence(where: str, what: str) -> str:
    """Return the problem ``what`` as a sentence that begins with its place."""
    return f"{where}: {what}" if what.endswith("?") else f"{where}: {what}."


def told(value: object) -> str:
    """Return the name of ``value``, as tomllib returns it, in a problem."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value}" if abs(value) < 10**15 else "a number as large as that"
        case str():
            return (
                f"“{value}”" if len(value) <= _SHOWN and value.isprintable() else f"a text of {len(value)} characters"
            )
        case list():
            return "a list" if value else "an empty list"
        case dict():
            return "a table"
    return "a date or a time"


def line(value: object, most: int) -> str:
    """Return a text that fits on one line; raises ValueError."""
    if not isinstance(value, str) or not value.strip() or len(value) > most or not value.isprintable():
        raise ValueError(f"must be a text on one line, of 1 to {most} characters, not {told(value)}")
    return value.strip()


def _name(value: object) -> str:
    name = line(value, NAME_LENGTH)
    if name == ENVIRONMENT:
        raise ValueError(f"may not be “{ENVIRONMENT}”: that is what decisions call the variables")
    return name


def _why(value: object) -> str:
    return line(value, _WHY_LENGTH)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {told(value)}")  # noqa: TRY004 - one error for all that is unusable
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"must be a whole number of at least 1, not {told(value)}")
    if value > _MOST:
        raise ValueError(f"must be a whole number of at most {_MOST:,}, not {told(value)}")
    return value


def _deadline(value: object) -> timedelta:
    return read_span(value, told(value))


def _reminder(value: object) -> timedelta:
    # Zero is the value for "nobody is reminded".
    return timedelta() if value == "never" else read_span(value, told(value), also=' or "never"')


def _on_stale(value: object) -> OnStale:
    words = {each.value: each for each in OnStale}
    if not isinstance(value, str) or value not in words:
        choices = " or ".join(f'"{word}"' for word in words)
        raise ValueError(f"must be {choices}, not {told(value)}")
    return words[value]


def _texts(value: object, what: str) -> list[str]:
    """Return a list of texts; a single text becomes a list. Raises ValueError."""
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list):
        raise ValueError(f"must be a list of {what}, not {told(value)}")  # noqa: TRY004 - as above
    wrong = [entry for entry in entries if not isinstance(entry, str) or not entry.strip()]
    if wrong:
        raise ValueError(f"must be a list of {what}, and has {told(wrong[0])} in it")
    return [entry.strip() for entry in entries]


def _channel(value: object) -> str:
    if not isinstance(value, str) or not _CHANNEL.fullmatch(value):
        raise ValueError(
            f"must be a channel id (C… or G…), not {told(value)}: copy the id from the bottom of the channel's details"
        )
    return value


def _kinds(value: object) -> tuple[str, ...]:
    what = "kinds such as telnyx.emergency or telnyx.*"
    kinds = _texts(value, what)
    if not kinds:
        raise ValueError("is an empty list, which matches no change: remove it if the rule is for every kind")
    wrong = [kind for kind in kinds if not _KIND.fullmatch(kind)]
    if wrong:
        raise ValueError(f"must be a list of {what}, and has {told(wrong[0])} in it")
    return tuple(kinds)


def _settings(value: object) -> frozenset[str]:
    settings = _texts(value, "names of settings")
    if not settings:
        raise ValueError("is an empty list, which matches no change: remove it if settings do not matter")
    return frozenset(settings)


def people(value: object, *, everyone_allowed: bool) -> Grant:
    """Return the grant for a list of ids; raises ValueError."""
    if isinstance(value, str):
        raise ValueError(f"must be a list of ids, not {told(value)}: put it in brackets")  # noqa: TRY004 - as above
    ids = _texts(value, "ids")
    if any("," in entry for entry in ids):
        raise ValueError("must be a list of ids, each in its own quotes")
    return Grant.parse(",".join(ids), everyone_allowed=everyone_allowed)


def _requesters(value: object) -> Grant:
    return people(value, everyone_allowed=True)


def _named(value: object) -> Grant:
    return people(value, everyone_allowed=False)


#: All keys except ``windows`` and ``stages``, whose entries have keys of their own.
KEYS: Final[Mapping[str, Key]] = {
    "name": Key("name", _name, "what messages and the audit log call the rule; required"),
    "kinds": Key(
        "kinds",
        _kinds,
        'which kinds of change the rule is for: `["telnyx.emergency", "close.*"]`; without it, every kind',
    ),
    "min_numbers": Key("min_numbers", _count, "fewest numbers of a change that the rule is for"),
    "max_numbers": Key(
        "max_numbers",
        _count,
        "most numbers of a change that the rule is for; larger changes go to the next rule that fits",
    ),
    "settings": Key("settings", _settings, "names of settings; the rule is for changes that set at least one of them"),
    "allow": Key(
        "allow",
        _truth,
        "`false`: nobody may make these changes; `true`: needed for a kind that is off by default (`telnyx.delete`)",
    ),
    "why": Key("why", _why, "why nobody may; the requester reads it"),
    "requesters": Key(
        "requesters", _requesters, 'who may request: user ids `U…`/`W…` and user group ids `S…`, or `"*"` for everybody'
    ),
    "approvers": Key("approvers", _named, 'who may approve: the same, without `"*"`'),
    "approvals_required": Key(
        "approvals_required", _count, "how many different approvers a change needs; 2 for a kind that is off by default"
    ),
    "fallback_approvers": Key(
        "fallback_approvers",
        _named,
        "who may approve as well once the request has waited for `fallback_after`: the same list",
    ),
    "fallback_after": Key(
        "fallback_after", _deadline, "how long a request, or a stage, waits for its approvers alone: as `deadline`"
    ),
    "self_approval": Key("self_approval", _truth, "`true`: a requester's own approval counts"),
    "approval_channel": Key(
        "approval_channel", _channel, "id of the channel in which approval is requested; Linesman has to be in it"
    ),
    "failure_channel": Key(
        "failure_channel",
        _channel,
        "id of the channel that hears of failures; without it `LINESMAN_FAILURE_CHANNEL`, and where that is not set "
        "either, the rule's approval channel",
    ),
    "mention": Key(
        "mention",
        _named,
        "whom requests for approval and reminders mention: user ids and user group ids, `[]` for nobody; without it, "
        "the approvers. It decides who is notified, not who may approve; fallback approvers are called when they may, "
        "whoever it names",
    ),
    "deadline": Key(
        "approval_ttl", _deadline, 'how long a request waits for approval: `"90s"`, `"15m"`, `"4h"`, `"2d"`'
    ),
    "reminder": Key(
        "reminder",
        _reminder,
        'how long until approvers who have not answered are reminded, `"15m"` unless given; every pause '
        'is twice the one before; `"never"` for none',
    ),
    "largest": Key("largest", _count, "most numbers in one change; larger changes are refused"),
    "unpreviewable_filters": Key(
        "unpreviewable",
        _truth,
        "`true`: where Telnyx refuses to list the numbers of *Has bundle*, its job may find them; nobody can see them "
        "before approval",
    ),
    "on_stale": Key(
        "on_stale",
        _on_stale,
        'what happens when numbers changed after part of the change was sent: `"stop"`, the default, '
        'sends no more; `"continue"` leaves those numbers out',
    ),
}

#: Every key of the file with its meaning in Markdown, for .github/POLICY.md.
MEANINGS: Final[Mapping[str, str]] = {
    READERS: 'above the first rule: who else may look at changes and numbers; `["*"]` for every full member',
    **{name: key.meaning for name, key in KEYS.items()},
    STAGES: (
        "who approves, one stage after the other, in place of the four keys about approvers: a list of tables with "
        "`name` and those keys"
    ),
    WINDOWS: "when changes may be sent, from the first number to the last: a list of tables with `days`, `from`, `to`, "
    "`zone`; without it, at any time",
}

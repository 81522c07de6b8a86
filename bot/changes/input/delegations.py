"""The text after ``/numbers delegate``: nothing, a person and an end, or whose delegation ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.input.times import UNTIL, end_time, read_end_time
from bot.changes.model.start import End
from bot.errors import InputError

#: Key of problems with the person of a delegation; problems with its end are under ``UNTIL``.
DELEGATE: Final = "delegate"
#: Examples of an end, for people.
EXAMPLES: Final = "until Mon 08:00, until Monday, until 2026-12-04 17:00, for 2 days"

#: A person as Slack writes them in a command's text, or by their member id.
_PERSON: Final = re.compile(r"<@([UW][A-Z0-9]{2,})(?:\|[^<>]*)?>|\b([UW](?=[A-Z0-9]*\d)[A-Z0-9]{5,})\b")
#: A name that Slack did not turn into a person.
_NAME: Final = re.compile(r"(?:^|(?<=\s))@\S+")
#: Words that may stand before a person, and words that end a delegation.
_TO: Final = re.compile(r"(?:to|for)\s+(?=[<@UW])", re.IGNORECASE)
_END: Final = re.compile(r"(?:end|stop|cancel|remove)(?:\s+|$)", re.IGNORECASE)
#: Words beside the person that add nothing to the request to end it.
_FILLING: Final = frozenset({"to", "for", "with", "now"})
_SHOWN: Final = 40
_HOW: Final = (
    "`/numbers delegate end @max` ends it at once; `/numbers delegate @max until Mon 08:00` changes its end time."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DelegationRequest:
    """A request to lend somebody a right until a time."""

    #: Slack user id; empty when nobody is named.
    delegate: str
    #: The end as typed.
    until: str
    #: The problems, by subject.
    problems: dict[str, str]


@dataclass(frozen=True, slots=True)
class DelegationEnd:
    """A request to end the delegation to this person."""

    delegate: str


def read_delegation(text: str) -> DelegationRequest | DelegationEnd | None:
    """Return the request in ``text``; None for the list.

    Raises :class:`bot.errors.InputError` under :data:`DELEGATE` when nobody is named whose delegation is to end, and
    under ``UNTIL`` when a time is given for that: it ends at once.
    """
    said = text.strip()
    if not said or said.casefold() == "list":
        return None
    if ends := _END.match(said):
        delegate, rest, problem = _person(said[ends.end() :])
        if problem:
            raise InputError({DELEGATE: problem})
        if left := " ".join(word for word in rest.split() if word.casefold() not in _FILLING):
            # A person who wants it to end later would lose the approvals given under it until then.
            raise InputError({UNTIL: f"“{left[:_SHOWN]}” was not understood, so the delegation was not ended. {_HOW}"})
        return DelegationEnd(delegate)
    delegate, rest, problem = _person(_TO.sub("", said, count=1) if _TO.match(said) else said)
    return DelegationRequest(delegate=delegate, until=rest, problems={DELEGATE: problem} if problem else {})


def _person(text: str) -> tuple[str, str, str]:
    """Return the named person, the rest of the text, and the problem with the person; empty without one."""
    found = list(_PERSON.finditer(text))
    rest = " ".join(_PERSON.sub(" ", text).split())
    if len(found) == 1:
        return found[0][1] or found[0][2], rest, ""
    if found:
        return "", rest, "Name one person at a time."
    if name := _NAME.search(text):
        problem = (
            f"“{name[0][:_SHOWN]}” is not a person: choose the name from the list that Slack shows while you type, or "
            "give the member id (U…) from the profile."
        )
        return "", " ".join(_NAME.sub(" ", text, count=1).split()), problem
    return "", rest, "Name the person: type @ and choose the name from the list that Slack shows."


def read_until(text: str, *, now: datetime, zone: str) -> End:
    """Return the end that ``text`` means: ``until Mon 08:00``, ``until Monday``, ``for 2 days``.

    A day alone means its first minute, the reading that lends the right for less time. Raises
    :class:`bot.errors.InputError` under ``UNTIL``; see :func:`bot.changes.input.times.read_end_time` for the rest.
    """
    said = end_time(text)
    if not said:
        raise InputError({UNTIL: f"Say when it ends: {EXAMPLES}."})
    read = read_end_time(text, now=now, zone=zone, bound="a delegation can last", days=True)
    if read is None:
        raise InputError({UNTIL: f"“{said}” is not an end time. Say when it ends: {EXAMPLES}."})
    return End(at=read.at, zone=read.zone)

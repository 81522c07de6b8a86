"""Delegation: an approver lends their right to approve to somebody else, until a time.

The right stays the lender's. Whoever decides with it decides as the lender could at that moment, so it is never worth
more than that one's own word, and it counts once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.model.decisions import Decision
from bot.changes.model.start import START, End, read_start
from bot.errors import InputError

#: What is wrong with a delegation that somebody asks for: with whom it names, and with its end.
DELEGATE: Final = "delegate"
UNTIL: Final = "until"
#: How an end can be typed, for people.
EXAMPLES: Final = "until Mon 08:00, until Monday, until 2026-12-04 17:00, for 2 days"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegation:
    """One approver's right to approve, lent to one person."""

    id: int
    #: Slack user ids: whose right it is, and to whom it is lent.
    delegator: str
    delegate: str
    #: When it ends by itself.
    until: End
    created_at: datetime
    #: When it was ended or ended by itself, and who ended it; None and empty before, empty when it ended by itself.
    ended_at: datetime | None = None
    ended_by: str = ""
    #: Grows whenever there is something new to tell the delegate, and the state that they were told of last.
    version: int = 1
    told: int = 0
    #: Slack's own time, as a ``ts``, before the delegate can have been told of this version; empty when it told none.
    floor: str = ""

    def active(self, now: datetime) -> bool:
        """Tell whether the right is lent at ``now``."""
        return self.ended_at is None and now < self.until.at


def read_until(text: str, *, now: datetime, zone: str) -> End:
    """Return until when ``text`` says: ``until Mon 08:00``, ``until Monday``, ``for 2 days``.

    A day alone means its first minute: of two readings, the one that lends the right for less. See
    :func:`bot.changes.model.start.read_start` for the rest. Raises :class:`bot.errors.InputError` under :data:`UNTIL`.
    """
    word, _, rest = text.strip().partition(" ")
    said = {"until": rest, "till": rest, "for": f"in {rest}"}.get(word.lower(), text)
    if not rest.strip() and word.lower() in {"", "until", "till", "for"}:
        raise InputError({UNTIL: f"Say when it ends: {EXAMPLES}."})
    try:
        read = read_start(said, now=now, zone=zone, bound="a delegation can last", days=True)
    except InputError as error:
        raise InputError({UNTIL: error.problems[START].replace(f"“in {rest}”", f"“for {rest}”")}) from error
    if read is None:
        raise InputError({UNTIL: f"“{said.strip()}” is no end. Say when it ends: {EXAMPLES}."})
    return End(at=read.at, zone=read.zone)


def used_up(approvals: Collection[Decision]) -> frozenset[str]:
    """Return whose right to approve counts already, of ``approvals`` that count: who gave them, and for whom.

    Nobody counts twice, whoever lent them a right, and no right counts twice, whoever used it.
    """
    return frozenset[str]().union(*(each.approvers for each in approvals))

"""Events of the audit log, each with a hash over itself and the previous event's hash: a chain.

Editing, removing or reordering events requires computing every later hash again, up to the head. The head is kept apart
from the events and logged with each of them. So a head noted outside the database proves everything before it; without
one, the chain proves that nobody changed single rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bot.changes.model.values import canonical
from bot.errors import AuditLogBroken


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event of the audit log."""

    id: int
    change: int | None
    at: datetime
    #: Slack user id, or ``linesman`` when nobody clicked.
    actor: str
    what: str
    digest: str
    #: Details: ids, counts and words; never a secret.
    details: Mapping[str, str | int | None]
    #: Hash over this event and the previous event's hash (:mod:`bot.changes.audit.events`).
    hash: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The end of the audit log."""

    #: Id of the last event; 0 without any.
    last: int
    hash: str


#: Stands for the previous hash of the first event.
GENESIS: Final = "0" * 64
#: The event that replaces pruned events. Its details hold their number (``events``), the ids of the ``first`` and the
#: ``last`` of them, and the ``hash`` of the last.
PRUNED: Final = "events_pruned"
#: Version of the hashed form; it changes with the form.
_VERSION: Final = 1


def link(previous: str, event: Event) -> str:
    """Return the hash of ``event`` after an event with the hash ``previous``: SHA-256, hex.

    Everything stored counts, except the event's own ``hash``, which is the result.
    """
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    told = [_VERSION, previous, event.id, event.change, at, event.actor, event.what, event.digest, event.details]
    # Half a surrogate pair, which people can send, has no UTF-8 encoding.
    return hashlib.sha256(canonical(told).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainProof:
    """The result of following the audit log to its head."""

    #: Events that follow each other correctly.
    events: int
    #: Older events that were pruned.
    pruned: int
    head: Head


class ChainCheck:
    """Follows the audit log from its first event to its head.

    Raises :class:`bot.errors.AuditLogBroken` at the first break.

    ``pruned`` is the newest event that says which events were pruned; None without one. It is itself part of the audit
    log, and is proven with it.
    """

    def __init__(self, pruned: Event | None = None) -> None:
        self._pruned = pruned
        self._hash, self._last = _after(pruned)
        self._events = 0
        self._met = pruned is None

    def take(self, event: Event) -> None:
        """Follow the audit log to ``event``, the next by its id."""
        try:
            expected = link(self._hash, event)
        except (ValueError, TypeError) as error:  # valid JSON that is not of our form
            raise AuditLogBroken(unreadable(event.id)) from error
        if event.hash != expected:
            raise AuditLogBroken(self._broken(event))
        if self._pruned is not None and event == self._pruned:
            self._met = True
        self._hash, self._last = event.hash, event.id
        self._events += 1

    def end(self, head: Head | None) -> ChainProof:
        """Compare the end of the audit log with its head, and return what that proves."""
        if head is None:
            raise AuditLogBroken("The head of the audit log is missing, so nothing proves where the log once ended.")
        if not self._met:
            raise AuditLogBroken("The audit log changed while it was being verified; verify again.")
        if self._last < head.last:
            raise AuditLogBroken(
                f"The audit log ends with {_name(self._last)}, and its head names event {head.last}: "
                f"what came after {_name(self._last)} was removed."
            )
        if (self._last, self._hash) != (head.last, head.hash):
            raise AuditLogBroken(
                f"The audit log ends with {_name(self._last)}, which is not what its head says (event {head.last}): "
                "events were added outside Linesman, or the head was changed."
            )
        pruned = self._pruned.details["events"] if self._pruned is not None else 0
        return ChainProof(events=self._events, pruned=int(pruned or 0), head=head)

    def _broken(self, event: Event) -> str:
        missing = event.id - self._last - 1
        gap = ""
        if missing > 0:
            where = f"between {self._last} and {event.id}" if self._last else f"before {event.id}"
            gap = f" The ids {where} are missing."
        return (
            f"The audit log breaks at event {event.id} ({_printable(event.what)}, {event.at:%Y-%m-%d %H:%M:%S} UTC): "
            f"it does not follow from {_name(self._last)}. "
            f"It was changed, or events between the two were removed, added or reordered.{gap}"
        )


def unreadable(event: int) -> str:
    """Return the problem of an event that is not stored in the form of events."""
    return (
        f"The audit log breaks at event {event}: it cannot be read, because its time, its details or another part "
        "of it is not what Linesman writes. Somebody changed it outside Linesman."
    )


def _name(event: int) -> str:
    return f"event {event}" if event else "its beginning"


def _printable(text: str) -> str:
    """Return ``text`` fit for a terminal; somebody who changed the audit log could have written anything."""
    return "".join(character for character in text[:64] if character.isprintable())


def _after(pruned: Event | None) -> tuple[str, int]:
    """Return the hash and id of the event that the first remaining one follows."""
    if pruned is None:
        return GENESIS, 0
    digest, last, count = (pruned.details.get(name) for name in ("hash", "last", "events"))
    if not isinstance(digest, str) or not isinstance(last, int) or not isinstance(count, int):
        raise AuditLogBroken(f"Event {pruned.id}, which says what was pruned, is not in the form that Linesman writes.")
    return digest, last

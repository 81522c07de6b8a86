"""Lines of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of the audit log."""

    id: int
    change: int | None
    at: datetime
    #: Slack user id, or ``linesman`` when nobody clicked.
    actor: str
    what: str
    digest: str
    #: Details: ids, counts and words; never a secret.
    details: Mapping[str, str | int | None]
    #: Hash over this event and over the hash of the one before it (:mod:`bot.changes.audit.hash_chain`).
    hash: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """Where the audit log ends."""

    #: Id of the last event; 0 while there is none.
    last: int
    hash: str

"""Requests for the current values of some numbers as a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.changes.model.draft import Draft


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueExport:
    """A person's request for the current values of some numbers as a sheet."""

    id: int
    #: Kind and target; settings and reason are empty.
    draft: Draft
    #: Slack user id.
    requester: str
    created_at: datetime
    #: When it was answered, with the sheet or with the reason for none; None before.
    finished_at: datetime | None
    #: Slack's time, as a ``ts``, before it can have been answered; empty when Slack told none.
    floor: str

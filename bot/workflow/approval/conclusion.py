"""The end of a request that has its approvals: its new state, when the change begins, and what people read about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import begins_at
from bot.changes.policy import Policy
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.notifications import Notifications

#: How long after its start a change may still be approved by people who were not told that the start has passed.
LATE: Final = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """When an approved change begins."""

    #: At the earliest; None when it begins at once.
    at: datetime | None
    #: Whether it waits until a freeze is lifted.
    frozen: bool


async def beginning_of(tx: Transaction, change: Change, policy: Policy, now: datetime) -> Beginning:
    """Return when ``change`` begins if it is approved ``now``, under ``policy``."""
    # An extension sends nothing, so it waits for no window and no freeze.
    sends = change.part_of is None
    return Beginning(
        at=begins_at(change.start, policy.windows, now) if sends else None,
        frozen=sends and await tx.freezes.current() is not None,
    )


def start_passed(change: Change, now: datetime) -> bool:
    """Tell whether the start of ``change`` passed so long ago that an approver must know it."""
    return change.start is not None and now >= change.start.at + LATE


async def conclude(
    tx: Transaction, notify: Notifications, change: Change, beginning: Beginning, now: datetime, **said: str | int
) -> None:
    """Continue ``change`` as approved, and tell its thread so, together with what else is ``said``.

    The caller holds the change, and has checked that its approvals count.
    """
    await tx.changes.move(change.id, ChangeState.APPROVED)
    await tx.tasks.stop_waiting(change.id)
    await tx.tasks.add(Task.START, change.id, beginning.at or now)
    told: dict[str, Any] = {
        **({"begins": int(beginning.at.timestamp())} if beginning.at else {}),
        **({"frozen": True} if beginning.frozen else {}),
        **said,
    }
    await notify.line(tx, change.id, "approved", **told)

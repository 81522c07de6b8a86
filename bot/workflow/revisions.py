"""Asking for changes to a plan: it is withdrawn from decision, and another plan replaces it.

The requester edits the form and gets a plan as always, in a change of its own that ``revises`` the one whose plan was
sent back. When approval is requested, the new plan moves over with its numbers and batches, so card, thread and history
of the change continue. Its digest also covers the previous plan's digest, so no decision or button for one plan applies
to the other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import Topic
from bot.changes.policy import Policy
from bot.errors import NotAuthorized, Superseded
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.notifications import Notifications

#: States in which a request waits for people, and expires when they do nothing.
EXPIRING: Final = frozenset({ChangeState.AWAITING_APPROVAL, ChangeState.CHANGES_REQUESTED})


def may_ask_for_changes(change: Change, by: str) -> None:
    """Raise NotAuthorized when ``by``, who may decide on ``change``, may not ask for changes to it."""
    if change.requester == by:
        raise NotAuthorized(
            f"You requested {change.public_id} yourself. To change its plan, cancel it with `/numbers cancel "
            f"{change.public_id}` and request it again."
        )
    if change.part_of is not None:
        raise NotAuthorized(f"{change.public_id} is an extension, which has no plan: reject it, and say why.")


async def send_back(tx: Transaction, notify: Notifications, change: Change, policy: Policy, decision: Decision) -> None:
    """Withdraw the plan of ``change`` from decision; ``decision`` says what should be different.

    The requester has as long to plan again as a request may wait.
    """
    now = decision.at
    expires_at = now + policy.approval_ttl
    await tx.changes.move(change.id, ChangeState.CHANGES_REQUESTED, expires_at=expires_at)
    # As with an edited plan: other changes may take the numbers, and its secrets are no longer needed.
    await tx.locks.release(change.id)
    await tx.secrets.wipe_change(change.id)
    await tx.tasks.stop_waiting(change.id)
    await tx.tasks.add(Task.EXPIRE, change.id, expires_at)
    if policy.reminder:
        await tx.tasks.add(Task.REMIND, change.id, now + policy.reminder)
    whose = {"on_behalf_of": decision.on_behalf_of} if decision.on_behalf_of else {}
    await notify.line(
        tx,
        change.id,
        "changes_requested",
        each=change.digest[:12],
        by=decision.person,
        said=decision.reason,
        **whose,
    )


async def to_revise(tx: Transaction, source: Change, by: str) -> Change | None:
    """Return the change that a plan from the edited form of ``source`` is for; None when it is for a new change."""
    revised = source if source.revises is None else await tx.changes.hold(source.revises)
    if revised.requester != by or revised.state is not ChangeState.CHANGES_REQUESTED:
        return None
    return revised


def still_revises(fresh: Change, revised: Change) -> None:
    """Raise Superseded when the plan of ``fresh`` can no longer replace the plan of ``revised``."""
    if revised.state is ChangeState.CHANGES_REQUESTED and revised.digest == fresh.former_digest:
        return
    if revised.state.over:
        raise Superseded(
            f"{revised.public_id} is already {revised.state.phrase}. Plan again to request this as a change of its own."
        )
    raise Superseded(f"{revised.public_id} already has a newer plan. Start again from its card.")


async def take_over(tx: Transaction, fresh: Change, revised: Change, *, by: str, now: datetime) -> None:
    """Give ``revised`` the plan of ``fresh``, which then ends. The caller holds both."""
    still_revises(fresh, revised)
    # A sheet not yet sent is made of the numbers that the change has at that time: under the name of the previous plan
    # it would show this one.
    await tx.outbox.withdraw(revised.id, Topic.PLAN)
    await tx.revisions.take_over(revised.id, fresh.id)
    await tx.changes.move(fresh.id, ChangeState.DISCARDED, finished_at=now, replaced_by=revised.id)
    await tx.events.add(fresh.id, "replaced", at=now, actor=by, digest=fresh.digest, by=revised.public_id)
    await tx.events.add(
        revised.id, "plan_replaced", at=now, actor=by, digest=fresh.digest, by=fresh.public_id, former=revised.digest
    )

"""Writing down a decision on a request, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.lifecycle import ChangeState
from bot.changes.policy import Policy, open_stage
from bot.store.transaction import Transaction
from bot.workflow.approval.conclusion import Beginning, beginning_of, conclude
from bot.workflow.approval.stages import StageChanges
from bot.workflow.approval_validity import progress_of
from bot.workflow.authorization import Authorization
from bot.workflow.notifications import Notifications
from bot.workflow.revisions import send_back


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionResult:
    """The effect of a decision, for the person who made it."""

    #: The state of the change now.
    state: ChangeState
    #: Approvals so far, and how many are required.
    approvals: int
    required: int
    #: When an approved change begins at the earliest; None when it begins now.
    begins_at: datetime | None = None
    #: Whether it waits until a freeze is lifted.
    frozen: bool = False
    #: Says which earlier approvals no longer count; empty when all do.
    lapsed: str = ""
    #: The temporary change whose end this moved; None for other requests.
    extended: int | None = None
    #: The lender of the right; empty for the person's own right.
    on_behalf_of: str = ""
    #: Name of the stage that waits for the next approval; empty where the rule has only one.
    stage: str = ""
    #: Name of the stage that this approval completed while another follows; empty otherwise.
    completed: str = ""


class DecisionRecorder:
    """Writes down decisions that were checked in the same transaction."""

    def __init__(self, authorization: Authorization, notifications: Notifications, stage_changes: StageChanges) -> None:
        self._authorization = authorization
        self._notify = notifications
        self._stage_changes = stage_changes

    async def record(
        self, tx: Transaction, change: Change, policy: Policy, decision: Decision, *, lapsed: str
    ) -> DecisionResult:
        """Write down the decision, and what follows from it."""
        now = decision.at
        details = _details(decision)
        if decision.verb is DecisionVerb.ASK_FOR_CHANGES:
            details["approvals_withdrawn"] = await tx.decisions.withdraw_approvals(change.id)
        await tx.decisions.add(decision)
        spoken = "rejected" if decision.verb is DecisionVerb.REJECT else "changes_requested"
        past = "approved" if decision.verb is DecisionVerb.APPROVE else spoken
        await tx.events.add(change.id, past, at=now, actor=decision.person, digest=change.digest, details=details)
        progress = await progress_of(tx, change, policy)
        opened, missing = open_stage(progress), sum(stage.missing for stage in progress)
        await tx.changes.put(change.id, approvals_required=policy.approvals_required)
        beginning = await beginning_of(tx, change, policy, now)
        state = await self._conclude(tx, change, decision, None if missing else beginning)
        following = state is ChangeState.AWAITING_APPROVAL and opened.stage.name != decision.stage
        if following:
            await self._stage_changes.opened(tx, change, policy, opened, now, why="")
        await self._notify.cards(tx, change.id)
        return DecisionResult(
            state=state,
            approvals=policy.approvals_required - missing,
            required=policy.approvals_required,
            begins_at=beginning.at,
            frozen=beginning.frozen,
            lapsed=lapsed,
            extended=change.part_of,
            on_behalf_of=decision.on_behalf_of,
            stage=opened.stage.name,
            completed=decision.stage if following else "",
        )

    async def _conclude(
        self, tx: Transaction, change: Change, decision: Decision, beginning: Beginning | None
    ) -> ChangeState:
        """Write down the new state of the request; ``beginning`` is None while approvals are missing."""
        now = decision.at
        if decision.verb is DecisionVerb.REJECT:
            await tx.changes.move(change.id, ChangeState.REJECTED, finished_at=now)
            await tx.tasks.stop_waiting(change.id)
            await self._notify.line(tx, change.id, "rejected")
            return ChangeState.REJECTED
        if decision.verb is DecisionVerb.ASK_FOR_CHANGES:
            policy = self._authorization.policy_of(change)
            await send_back(tx, self._notify, change, policy, decision)
            return ChangeState.CHANGES_REQUESTED
        if beginning is None:
            return ChangeState.AWAITING_APPROVAL
        await conclude(tx, self._notify, change, beginning, now)
        return ChangeState.APPROVED


def _details(decision: Decision) -> dict[str, str | int | None]:
    """Return what the event of a decision says besides who decided what, and when."""
    details: dict[str, str | int | None] = {"rule": decision.rule}
    if decision.stage:
        details["stage"] = decision.stage
    if decision.fallback:
        details["fallback"] = 1
    if decision.on_behalf_of:
        details["on_behalf_of"] = decision.on_behalf_of
    if decision.reason:
        details["comment"] = decision.reason
    return details

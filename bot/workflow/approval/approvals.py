"""Deciding on requests for approval, and what becomes of those that nobody decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.changes.model.change import Change, Decision, DecisionVerb, MessageRef, public_id
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import begins_at
from bot.changes.policy import Lapse, Verdict, in_a_while, lapsed_text
from bot.errors import DeliveryError, DeliveryPostponed, NotAuthorized, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.approval_validity import ApprovalValidity, only_the_present
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.notifications import Notifications
from bot.workflow.revisions import EXPIRING, may_ask_for_changes, send_back

#: How long after its start a change may still be approved with a button that did not say that the start has passed.
LATE: Final = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionResult:
    """What a decision led to, for the person who made it."""

    #: Where the change is now.
    state: ChangeState
    #: Approvals so far, and how many there have to be.
    approvals: int
    required: int
    #: When an approved change begins at the earliest; None when it begins now.
    begins_at: datetime | None = None
    #: Whether it begins not before a freeze is lifted.
    frozen: bool = False
    #: Says which earlier approvals do not count any more; empty when all do.
    lapsed: str = ""
    #: The temporary change that ends later now; None when it was no request for that.
    extended: int | None = None


class Approvals:
    """Requests for approval and what becomes of them."""

    def __init__(
        self,
        context: Context,
        authorization: Authorization,
        notifications: Notifications,
        approval_validity: ApprovalValidity,
    ) -> None:
        self._context = context
        self._authorization = authorization
        self._approval_validity = approval_validity
        self._notify = notifications
        self._refusals = DeniedActions(context)

    @repeatable
    async def decide(
        self,
        change_id: int,
        *,
        by: str,
        verb: DecisionVerb,
        digest: str,
        reason: str = "",
        at_once: bool = False,
        clicked: MessageRef | None = None,
    ) -> DecisionResult:
        """Let ``by`` decide on the plan with ``digest``.

        Everything is checked now, whatever the button looked like. ``reason`` is why it is rejected, what should be
        different, or what is said with an approval. ``at_once`` tells that the button said that the start has passed,
        and ``clicked`` is the message that it stands in, if it is one. Raises NotAllowed or Superseded, both also
        written to the audit log; the text answers the person.
        """
        async with self._refusals.noting(verb.value, by=by, change=change_id, digest=digest):
            async with self._for_readers(by):
                await self._present(change_id, clicked)
            return await self._decide(change_id, by=by, verb=verb, digest=digest, reason=reason, at_once=at_once)

    async def _decide(
        self, change_id: int, *, by: str, verb: DecisionVerb, digest: str, reason: str, at_once: bool
    ) -> DecisionResult:
        change, verdict = await self._allowed(change_id, by=by, verb=verb, digest=digest)
        now = self._context.clock()
        if change.expires_at is not None and now >= change.expires_at:
            await self._expire(change_id)
            raise Superseded(f"{change.public_id} has expired: nobody decided in time. Request the change again.")
        if verb is DecisionVerb.APPROVE and change.start is not None and not at_once and now >= change.start.at + LATE:
            await self._show(change_id)
            raise Superseded(
                f"The start of {change.public_id}, {change.start}, passed after this was shown, so the change would "
                "start at once. The request in the approval channel is up to date: approve it there if you agree."
            )
        lapses = await self._lapses(change, by) if verb is DecisionVerb.APPROVE else ()
        answer = await self._write(change, verdict, lapses, by=by, verb=verb, reason=reason, now=now)
        self._context.ring()
        return answer

    async def _lapses(self, change: Change, by: str) -> Sequence[Lapse]:
        """Return which earlier approvals do not count beside one of ``by`` any more."""
        try:
            return await self._approval_validity.lapses(change, self._authorization.policy_of(change), besides=by)
        except DeliveryError as error:
            again = in_a_while(error.wait if isinstance(error, DeliveryPostponed) else 0)
            raise NotAuthorized(
                f"Slack did not confirm that the earlier approvals still count, so nothing was done. Try again {again}."
            ) from error

    async def _show(self, change_id: int) -> None:
        async with self._context.database.transaction() as tx:
            await self._notify.cards(tx, change_id)
        self._context.ring()

    async def open_to(
        self, change_id: int, *, by: str, verb: DecisionVerb, digest: str, clicked: MessageRef | None = None
    ) -> Change:
        """Return the change if ``by`` could decide on it now; raises what :meth:`decide` would."""
        async with self._refusals.noting(verb.value, by=by, change=change_id, digest=digest):
            async with self._for_readers(by):
                await self._present(change_id, clicked)
            change, _ = await self._allowed(change_id, by=by, verb=verb, digest=digest)
        return change

    @asynccontextmanager
    async def _for_readers(self, by: str) -> AsyncIterator[None]:
        """Let ``by`` hear what became of the change, which Superseded says, only if they may look."""
        try:
            yield
        except Superseded:
            await self._authorization.may_read(by)
            raise

    async def _present(self, change_id: int, clicked: MessageRef | None) -> None:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
            if change.state is ChangeState.AWAITING_APPROVAL:
                await only_the_present(tx, change, clicked)

    async def _allowed(self, change_id: int, *, by: str, verb: DecisionVerb, digest: str) -> tuple[Change, Verdict]:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
            decisions = await tx.decisions.of(change_id)
        async with self._for_readers(by):
            self._still_open(change, digest)
        already = [decision.person for decision in decisions if decision.counts] if verb is DecisionVerb.APPROVE else []
        verdict = await self._authorization.approve(by, change, already)
        if verb is DecisionVerb.ASK_FOR_CHANGES:
            may_ask_for_changes(change, by)
        return change, verdict

    def _still_open(self, change: Change, digest: str) -> None:
        if change.replaced_by is not None:
            raise Superseded(
                f"The plan of {change.public_id} was replaced by {public_id(change.replaced_by)}; decide on that one.",
                instead=change.replaced_by,
            )
        if change.state is ChangeState.CHANGES_REQUESTED:
            raise Superseded(
                f"Changes to {change.public_id} were requested, so this plan cannot be decided on any more. Its "
                "requester can request approval of another one."
            )
        if change.state is not ChangeState.AWAITING_APPROVAL:
            state = change.state.value.replace("_", " ")
            raise Superseded(f"{change.public_id} is already {state}, so there is nothing left to decide.")
        if change.digest != digest:
            raise Superseded(f"This plan of {change.public_id} was replaced; decide on the newest request instead.")

    async def _write(
        self,
        change: Change,
        verdict: Verdict,
        lapses: Sequence[Lapse],
        *,
        by: str,
        verb: DecisionVerb,
        reason: str,
        now: datetime,
    ) -> DecisionResult:
        async with self._context.database.transaction() as tx:
            present = await tx.changes.hold(change.id)
            self._still_open(present, change.digest)
            if verb is DecisionVerb.APPROVE and not await tx.locks.held(change.id):
                raise Superseded(f"{change.public_id} no longer holds its numbers. Request the change again.")
            decision = Decision(
                change=change.id,
                person=by,
                verb=verb,
                digest=change.digest,
                reason=reason,
                rule=verdict.rule,
                at=now,
            )
            details: dict[str, str | int | None] = {"rule": verdict.rule, **({"comment": reason} if reason else {})}
            if verb is DecisionVerb.ASK_FOR_CHANGES:
                details["approvals_withdrawn"] = await tx.decisions.withdraw_approvals(change.id)
            await tx.decisions.add(decision)
            spoken = "rejected" if verb is DecisionVerb.REJECT else "changes_requested"
            past = "approved" if verb is DecisionVerb.APPROVE else spoken
            await tx.events.add(change.id, past, at=now, actor=by, digest=change.digest, details=details)
            approvals = len(await self._approval_validity.note(tx, change, lapses))
            # The rule of this moment says how many there have to be, not the one under which it was asked for.
            policy = self._authorization.policy_of(change)
            required = policy.approvals_required
            await tx.changes.put(change.id, approvals_required=required)
            # A later end is nothing that is sent, and waits for no window and no freeze.
            sends = change.part_of is None
            begins = begins_at(change.start, policy.windows, now) if sends else None
            frozen = sends and await tx.freezes.current() is not None
            state = await self._conclude(
                tx, change, decision, enough=approvals >= required, begins=begins, frozen=frozen
            )
            await self._notify.cards(tx, change.id)
            lapsed = lapsed_text(lapses)
            return DecisionResult(
                state=state,
                approvals=approvals,
                required=required,
                begins_at=begins,
                frozen=frozen,
                lapsed=lapsed,
                extended=change.part_of,
            )

    async def _conclude(
        self,
        tx: Transaction,
        change: Change,
        decision: Decision,
        *,
        enough: bool,
        begins: datetime | None,
        frozen: bool,
    ) -> ChangeState:
        now = decision.at
        if decision.verb is DecisionVerb.REJECT:
            await tx.changes.move(change.id, ChangeState.REJECTED, finished_at=now)
            await tx.tasks.stop_waiting(change.id)
            await self._notify.line(tx, change.id, "rejected")
            return ChangeState.REJECTED
        if decision.verb is DecisionVerb.ASK_FOR_CHANGES:
            policy = self._authorization.policy_of(change)
            await send_back(tx, self._notify, change, policy, now, by=decision.person, why=decision.reason)
            return ChangeState.CHANGES_REQUESTED
        if not enough:
            return ChangeState.AWAITING_APPROVAL
        await tx.changes.move(change.id, ChangeState.APPROVED)
        await tx.tasks.stop_waiting(change.id)
        await tx.tasks.add(Task.START, change.id, begins or now)
        told: dict[str, Any] = {
            **({"begins": int(begins.timestamp())} if begins else {}),
            **({"frozen": True} if frozen else {}),
        }
        await self._notify.line(tx, change.id, "approved", **told)
        return ChangeState.APPROVED

    @handles(Task.EXPIRE)
    async def expire(self, claim: Claim) -> None:
        """Carry out the task: end a request that nobody decided, or whose plan nobody made anew."""
        await self._expire(claim.subject)
        async with self._context.database.transaction() as tx:
            change = await tx.changes.get(claim.subject)
            if change.state in EXPIRING and change.expires_at is not None:
                await tx.tasks.again(claim, change.expires_at)
            else:
                await tx.tasks.done(claim)

    async def _expire(self, change_id: int) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            # Meanwhile it may have been sent back, or asked for again: that has a time, and a task, of its own.
            if change.state not in EXPIRING or (change.expires_at is not None and now < change.expires_at):
                return
            await tx.changes.move(change_id, ChangeState.EXPIRED, finished_at=now)
            await tx.tasks.stop_waiting(change_id)
            await tx.events.add(change_id, "expired", at=now)
            await self._notify.cards(tx, change_id)
            if change.state is ChangeState.CHANGES_REQUESTED:
                await self._notify.line(tx, change_id, "not_revised")
            else:
                await self._notify.line(tx, change_id, "expired")
                await self._notify.failure(tx, change_id, "expired")
        self._context.ring()

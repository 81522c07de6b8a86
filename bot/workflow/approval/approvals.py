"""Deciding on requests for approval."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from bot.changes.input.decision_words import read_words
from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import MessageRef
from bot.changes.model.public_ids import public_id
from bot.changes.policy import Lapse, in_a_while, lapsed_text, open_stage
from bot.errors import DeliveryError, DeliveryPostponed, NotAuthorized, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.workflow.approval.conclusion import start_passed
from bot.workflow.approval.expiry import RequestExpiry
from bot.workflow.approval.recording import DecisionRecorder, DecisionResult
from bot.workflow.approval.rights import ApprovalRight, ApprovalRights, counts_once, still_lent
from bot.workflow.approval.stages import StageChanges
from bot.workflow.approval_validity import ApprovalValidity, only_the_present, progress_of
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.notifications import Notifications
from bot.workflow.revisions import may_ask_for_changes


class Approvals:
    """Takes decisions on requests for approval."""

    def __init__(
        self,
        context: Context,
        authorization: Authorization,
        notifications: Notifications,
        approval_validity: ApprovalValidity,
        stage_changes: StageChanges,
        *,
        approval_rights: ApprovalRights,
    ) -> None:
        self._context = context
        self._approval_rights = approval_rights
        self._stage_changes = stage_changes
        self._authorization = authorization
        self._approval_validity = approval_validity
        self._notify = notifications
        self._refusals = DeniedActions(context)
        self._expiry = RequestExpiry(context, notifications)
        self._recorder = DecisionRecorder(authorization, notifications, stage_changes)

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

        Everything is checked now, whatever the button looked like. ``reason`` is what was typed: why it is rejected,
        what should be different, or a comment. ``at_once`` says that the button told of a passed start; ``clicked`` is
        the message with the button, if there is one. Raises InputError when the decision needs words and has none, and
        NotAuthorized or Superseded, both also written to the audit log; the text answers the person.
        """
        words = read_words(verb, reason)
        async with self._refusals.noting(verb.value, by=by, change=change_id, digest=digest):
            async with self._for_readers(by):
                await self._present(change_id, clicked)
            return await self._decide(change_id, by=by, verb=verb, digest=digest, reason=words, at_once=at_once)

    async def _decide(
        self, change_id: int, *, by: str, verb: DecisionVerb, digest: str, reason: str, at_once: bool
    ) -> DecisionResult:
        await self._stage_changes.review(change_id)
        change, right = await self._allowed(change_id, by=by, verb=verb, digest=digest)
        now = self._context.clock()
        if change.expires_at is not None and now >= change.expires_at:
            await self._expiry.end(change_id)
            raise Superseded(f"{change.public_id} has expired: nobody decided in time. Request the change again.")
        if verb is DecisionVerb.APPROVE and not at_once and start_passed(change, now):
            await self._show(change_id)
            raise Superseded(
                f"The start of {change.public_id}, {change.start}, passed after this was shown, so the change would "
                "start at once. The request for approval is up to date: approve it there if you agree."
            )
        lapses = await self._lapses(change, by) if verb is DecisionVerb.APPROVE else ()
        answer = await self._write(change, right, lapses, by=by, verb=verb, reason=reason, now=now)
        self._context.ring()
        return answer

    async def _lapses(self, change: Change, by: str) -> Sequence[Lapse]:
        """Return the earlier approvals that no longer count beside one of ``by``."""
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
        """Let ``by`` read in Superseded what became of the change only if they may look."""
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

    async def _allowed(
        self, change_id: int, *, by: str, verb: DecisionVerb, digest: str
    ) -> tuple[Change, ApprovalRight]:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
            decisions = await tx.decisions.of(change_id)
        async with self._for_readers(by):
            self._still_open(change, digest)
        if verb is DecisionVerb.APPROVE:
            delegated = any(each.counts and each.on_behalf_of for each in decisions)
            before = _without(decisions, await self._lapses(change, by)) if delegated else decisions
            return change, await self._approval_rights.to_approve(by, change, before)
        right = await self._approval_rights.to_decline(by, change, decisions)
        if verb is DecisionVerb.ASK_FOR_CHANGES:
            may_ask_for_changes(change, by)
        return change, right

    def _still_open(self, change: Change, digest: str) -> None:
        if change.replaced_by is not None:
            raise Superseded(
                f"The plan of {change.public_id} was replaced by {public_id(change.replaced_by)}; decide on that one.",
                instead=change.replaced_by,
            )
        if change.state is ChangeState.CHANGES_REQUESTED:
            raise Superseded(
                f"Changes to {change.public_id} were requested, so this plan can no longer be decided on. Its "
                "requester can request approval of another one."
            )
        if change.state is not ChangeState.AWAITING_APPROVAL:
            raise Superseded(
                f"{change.public_id} is already {change.state.phrase}, so there is nothing left to decide."
            )
        if change.digest != digest:
            raise Superseded(f"This plan of {change.public_id} was replaced; decide on the newest request instead.")

    async def _write(
        self,
        change: Change,
        right: ApprovalRight,
        lapses: Sequence[Lapse],
        *,
        by: str,
        verb: DecisionVerb,
        reason: str,
        now: datetime,
    ) -> DecisionResult:
        # The current rule says who must approve, not the rule at the time of the request.
        policy = self._authorization.policy_of(change)
        decision = Decision(
            change=change.id,
            person=by,
            verb=verb,
            digest=change.digest,
            reason=reason,
            rule=right.verdict.rule,
            at=now,
            stage=right.verdict.stage,
            fallback=right.verdict.fallback,
            on_behalf_of=right.on_behalf_of,
        )
        async with self._context.database.transaction() as tx:
            present = await tx.changes.hold(change.id)
            self._still_open(present, change.digest)
            if verb is DecisionVerb.APPROVE and not await tx.locks.held(change.id):
                raise Superseded(f"{change.public_id} no longer holds its numbers. Request the change again.")
            before = open_stage(await progress_of(tx, change, policy))
            await self._approval_validity.note(tx, change, lapses)
            await still_lent(tx, right, self._context.clock())
            if verb is DecisionVerb.APPROVE:
                counts_once(decision, await tx.decisions.of(change.id))
            opened = open_stage(await progress_of(tx, change, policy))
            # The click made an earlier stage open again. They approved the later one, so it must not count here.
            if verb is not DecisionVerb.APPROVE or opened.stage.name == before.stage.name == decision.stage:
                return await self._recorder.record(tx, change, policy, decision, lapsed=lapsed_text(lapses))
            if opened.place < before.place:
                await self._stage_changes.opened(tx, change, policy, opened, now, why=lapsed_text(lapses))
            await self._notify.cards(tx, change.id)
        self._context.ring()
        raise Superseded(
            f"{lapsed_text(lapses)} {change.public_id} now waits for the stage “{opened.stage.name}”, so your approval "
            "was not recorded.".strip()
        )


def _without(decisions: Sequence[Decision], lapses: Sequence[Lapse]) -> Sequence[Decision]:
    """Return ``decisions`` without approvals that have lapsed but are not yet noted as such.

    A lapsed approval by a delegate would use up the right of the lender.
    """
    gone = {lapse.person for lapse in lapses}
    return [each for each in decisions if not (each.counts and each.person in gone)]

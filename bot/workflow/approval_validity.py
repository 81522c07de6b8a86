"""Whether the approvals of a change still count, and whether the request that was clicked is the present one.

An approver who has left, or is none any more in the stage in which they approved, has not approved what is sent
afterwards; nor has one whose stage the rule does not have any more. It is asked when a further approval is given, when
the change starts, and before what follows its canary. What has begun by then is not stopped half-way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision
from bot.changes.model.messages import MessageRef, Topic
from bot.changes.policy import (
    Grant,
    Lapse,
    Membership,
    Person,
    Policy,
    Reason,
    StageProgress,
    UnknownGroup,
    lapsed_text,
    may_approve,
    may_stand_in,
    open_stage,
    stage_gone,
    stage_progress,
    why_lapsed,
)
from bot.errors import DeliveryPostponed, DeliveryRefused, Superseded
from bot.store.transaction import Transaction
from bot.workflow.authorization import UNKNOWN
from bot.workflow.context import Context


class ApprovalValidity:
    """Finds approvals that do not count any more, and writes that down."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def lapses(self, change: Change, policy: Policy, *, besides: str = "") -> Sequence[Lapse]:
        """Return the approvals of ``change`` that ``policy`` does not let count now.

        That of ``besides``, who is about to approve, is asked only for its stage. Raises
        :class:`bot.errors.DeliveryError` when Slack does not say just now.
        """
        async with self._context.database.reading() as tx:
            decisions = await tx.decisions.of(change.id)
        stages = {stage.name for stage in policy.stages}
        asked = [each for each in decisions if each.counts and (each.person != besides or each.stage not in stages)]
        return await self._lapsed(policy, change.requester, asked)

    async def note(self, tx: Transaction, change: Change, lapses: Sequence[Lapse]) -> None:
        """Write down what has lapsed."""
        now = self._context.clock()
        for lapse in lapses:
            await tx.decisions.lapse(change.id, lapse.person, lapse.why, now)
            answer = lapsed_text([lapse])
            await tx.events.add(
                change.id, "approval_lapsed", at=now, digest=change.digest, person=lapse.person, answer=answer
            )

    async def in_the_way(self, change: Change, policy: Policy, so: str) -> str:
        """Return that approvals are wanting, and ``so`` ("nothing was sent"); empty when there are enough.

        What has lapsed is written down. Raises :class:`bot.errors.DeliveryError` when Slack does not say just now.
        """
        lapses = await self.lapses(change, policy)
        async with self._context.database.transaction() as tx:
            await self.note(tx, change, lapses)
            wanting = await approvals_wanting(tx, change, policy, so)
        return f"{lapsed_text(lapses)} {wanting}".strip() if wanting else ""

    async def _lapsed(self, policy: Policy, requester: str, approvals: Collection[Decision]) -> Sequence[Lapse]:
        """Return which of ``approvals`` would not count if they were given now, each in its stage.

        One that was given for somebody else hangs on their right, and on the delegate being who may have it. That the
        delegation is over is no reason: it was given while the right was lent, as somebody's own approval stays good
        while they are asleep. Ending a delegation before its time takes back what was given under it, at once.

        Raises :class:`bot.errors.DeliveryError` when Slack does not say just now, and then nobody knows.
        """
        counting = [(each, _who_counts(policy, each)) for each in approvals]
        unnamed = (grant for each, grant in counting if not grant.names(each.on_behalf_of or each.person))
        membership = await self._context.directory.membership(sorted(Grant.union(unnamed).groups), fresh=True)
        found = [await self._lapse(policy, requester, each, membership) for each in approvals]
        return [lapse for lapse in found if lapse is not None]

    async def _lapse(self, policy: Policy, requester: str, approval: Decision, membership: Membership) -> Lapse | None:
        """Return why one approval would not count now; None when it would."""
        person = await self._listed(approval.person)
        if person is None:
            return Lapse(person=approval.person, name=approval.person, why=why_lapsed(Reason.FOREIGN))
        lapse = partial(Lapse, person=approval.person, name=person.name)
        if approval.stage not in {stage.name for stage in policy.stages}:
            return lapse(why=stage_gone(approval.stage))
        if not approval.on_behalf_of:
            why = _why_not(policy, person, membership, requester, approval)
            return lapse(why=why) if why else None
        standing = may_stand_in(policy, person)
        if not standing.allowed:
            return lapse(why=why_lapsed(standing.reason))
        holder = await self._listed(approval.on_behalf_of)
        if not (why := _why_not(policy, holder, membership, requester, approval)):
            return None
        return lapse(why=f"acted for {holder.name if holder else approval.on_behalf_of}, who {why}")

    async def _listed(self, user: str) -> Person | None:
        """Return who ``user`` is; None for somebody whom Slack does not list. Raises as the directory does."""
        try:
            return await self._context.directory.person(user, fresh=True)
        except DeliveryRefused as error:
            if error.code not in UNKNOWN:
                raise
            return None


async def approvals_wanting(tx: Transaction, change: Change, policy: Policy, so: str) -> str:
    """Return that approvals are wanting by what is written down, and ``so``; empty when there are enough.

    It is asked once more where something is let go: an approval may have been taken back since Slack was asked.
    """
    opened = open_stage(await progress_of(tx, change, policy))
    return "" if opened.complete else f"{_wanting(opened)}, so {so}. Request the change again."


async def progress_of(tx: Transaction, change: Change, policy: Policy) -> Sequence[StageProgress]:
    """Return where the approval of ``change`` stands in each stage of ``policy``."""
    return stage_progress(policy.stages, await tx.decisions.of(change.id), change.waits_since)


def _wanting(opened: StageProgress) -> str:
    """Return how many approvals there are too few: "1 approval is needed and 0 count"."""
    required, counting = opened.stage.approvals_required, len(opened.approvals)
    where = f" in the stage “{opened.stage.name}”" if opened.stage.name else ""
    needed = f"{required:,} {'approval is' if required == 1 else 'approvals are'} needed{where}"
    return f"{needed} and {counting:,} {'counts' if counting == 1 else 'count'}"


async def only_the_present(tx: Transaction, change: Change, clicked: MessageRef | None) -> None:
    """Raise Superseded when ``clicked``, the message with the button, is not the present request for approval.

    None is a button that stands in no message of its own, on a Home tab say. While Slack has not said yet where the
    present request is, any message of its channel counts but those that are known to have been left behind.
    """
    if clicked is None or clicked == change.approval_card:
        return
    posted = bool(change.approval_card.ts)
    here = clicked.channel == change.approval_card.channel
    if not posted and here and clicked not in await tx.outbox.former(change.id, Topic.APPROVAL_CARD):
        return
    raise Superseded(
        f"This is an old copy of the approval request for {change.public_id}, so it no longer works. "
        + ("Decide on the current one." if posted else "The current one follows in a moment."),
        instead=change.id,
    )


def _who_counts(policy: Policy, approval: Decision) -> Grant:
    """Return who may have given ``approval``, in its stage; nobody when there is no such stage any more."""
    stage = next((each for each in policy.stages if each.name == approval.stage), None)
    if stage is None:
        return Grant()
    return stage.everyone if approval.fallback else stage.approvers


def _why_not(policy: Policy, person: Person | None, membership: Membership, requester: str, approval: Decision) -> str:
    """Return why ``approval`` with the right of ``person`` does not count any more; empty when it does.

    Raises DeliveryPostponed when nobody knows, because Slack did not say who is in a group.
    """
    if person is None:
        return why_lapsed(Reason.FOREIGN)
    verdict = may_approve(policy, person, membership, requester, (), grant=_who_counts(policy, approval))
    if verdict.reason is Reason.GROUP_UNREADABLE:
        waits = [users.wait for users in membership.values() if isinstance(users, UnknownGroup)]
        raise DeliveryPostponed("Slack did not say who is in the user groups of the approvers.", wait=max(waits))
    return "" if verdict.allowed else why_lapsed(verdict.reason, approval.stage)

"""Whether the approvals of a change still count, and whether the clicked request is the current one.

An approver who has left, or who may no longer approve in the stage in which they approved, has not approved what is
sent afterwards. The same holds when the rule no longer has that stage. This is checked at each further approval, when
the change starts, and before each later wave. Whatever has begun by then is not stopped half-way.
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
from bot.changes.text.counts import counted
from bot.errors import DeliveryPostponed, DeliveryRefused, Superseded
from bot.store.transaction import Transaction
from bot.workflow.authorization import UNKNOWN
from bot.workflow.context import Context


class ApprovalValidity:
    """Finds approvals that no longer count, and writes that down."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def lapses(self, change: Change, policy: Policy, *, besides: str = "") -> Sequence[Lapse]:
        """Return the approvals of ``change`` that do not count under ``policy`` now.

        For ``besides``, who is about to approve, only the stage is checked. Raises :class:`bot.errors.DeliveryError`
        when Slack does not answer.
        """
        async with self._context.database.reading() as tx:
            decisions = await tx.decisions.of(change.id)
        stages = {stage.name for stage in policy.stages}
        asked = [each for each in decisions if each.counts and (each.person != besides or each.stage not in stages)]
        return await self._lapsed(policy, change.requester, asked)

    async def note(self, tx: Transaction, change: Change, lapses: Sequence[Lapse]) -> None:
        """Write down the approvals that have lapsed."""
        now = self._context.clock()
        for lapse in lapses:
            await tx.decisions.lapse(change.id, lapse.person, lapse.why, now)
            answer = lapsed_text([lapse])
            await tx.events.add(
                change.id, "approval_lapsed", at=now, digest=change.digest, person=lapse.person, answer=answer
            )

    async def in_the_way(self, change: Change, policy: Policy, so: str) -> str:
        """Return that approvals are missing, and ``so`` ("nothing was sent"); empty when there are enough.

        Lapsed approvals are written down. Raises :class:`bot.errors.DeliveryError` when Slack does not answer.
        """
        lapses = await self.lapses(change, policy)
        async with self._context.database.transaction() as tx:
            await self.note(tx, change, lapses)
            wanting = await approvals_wanting(tx, change, policy, so)
        return f"{lapsed_text(lapses)} {wanting}".strip() if wanting else ""

    async def _lapsed(self, policy: Policy, requester: str, approvals: Collection[Decision]) -> Sequence[Lapse]:
        """Return those of ``approvals`` that would not count if they were given now, each in its stage.

        An approval on behalf of somebody else depends on that person's right, and on the delegate being allowed to have
        it. It stays good when the delegation runs out: it was given while the right was lent, just as somebody's own
        approval stays good while they are asleep. Ending a delegation early takes its approvals back at once.

        Raises :class:`bot.errors.DeliveryError` when Slack does not answer, so that nobody knows.
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
        """Return who ``user`` is; None when Slack does not list them. Raises as the directory does."""
        try:
            return await self._context.directory.person(user, fresh=True)
        except DeliveryRefused as error:
            if error.code not in UNKNOWN:
                raise
            return None


async def approvals_wanting(tx: Transaction, change: Change, policy: Policy, so: str) -> str:
    """Return that approvals are missing according to our records, and ``so``; empty when there are enough.

    Checked once more right before anything is released: an approval may have been taken back since Slack was asked.
    """
    opened = open_stage(await progress_of(tx, change, policy))
    return "" if opened.complete else f"{_wanting(opened)}, so {so}. Request the change again."


async def progress_of(tx: Transaction, change: Change, policy: Policy) -> Sequence[StageProgress]:
    """Return the progress of the approval of ``change`` in each stage of ``policy``."""
    return stage_progress(policy.stages, await tx.decisions.of(change.id), change.waits_since)


def _wanting(opened: StageProgress) -> str:
    """Return how many approvals are missing: "1 approval is needed and 0 count"."""
    required, counting = opened.stage.approvals_required, len(opened.approvals)
    where = f" in the stage “{opened.stage.name}”" if opened.stage.name else ""
    needed = f"{counted(required, 'approval is', 'approvals are')} needed{where}"
    return f"{needed} and {counted(counting, 'counts', 'count')}"


async def only_the_present(tx: Transaction, change: Change, clicked: MessageRef | None) -> None:
    """Raise Superseded when ``clicked``, the message with the button, is not the current request for approval.

    None is a button without a message of its own, for example on a Home tab. While Slack has not yet said where the
    current request is, any message of its channel counts, except those known to have been left behind.
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
    """Return who may have given ``approval`` in its stage; nobody when the stage no longer exists."""
    stage = next((each for each in policy.stages if each.name == approval.stage), None)
    if stage is None:
        return Grant()
    return stage.everyone if approval.fallback else stage.approvers


def _why_not(policy: Policy, person: Person | None, membership: Membership, requester: str, approval: Decision) -> str:
    """Return why ``approval`` with the right of ``person`` no longer counts; empty when it does.

    Raises DeliveryPostponed when that is unknown, because Slack did not say who is in a group.
    """
    if person is None:
        return why_lapsed(Reason.FOREIGN)
    verdict = may_approve(policy, person, membership, requester, (), grant=_who_counts(policy, approval))
    if verdict.reason is Reason.GROUP_UNREADABLE:
        waits = [users.wait for users in membership.values() if isinstance(users, UnknownGroup)]
        raise DeliveryPostponed("Slack did not say who is in the user groups of the approvers.", wait=max(waits))
    return "" if verdict.allowed else why_lapsed(verdict.reason, approval.stage)

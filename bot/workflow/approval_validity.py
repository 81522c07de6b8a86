"""Whether the approvals of a change still count, and whether the request that was clicked is the present one.

An approver who has left, or is none any more, has not approved what is sent afterwards. It is asked when a further
approval is given, when the change starts, and before what follows its canary. What has begun by then is not stopped
half-way.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.model.change import Change, Decision, MessageRef
from bot.changes.model.messages import Topic
from bot.changes.policy import Lapse, Policy, lapsed_text
from bot.errors import Superseded
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context


class ApprovalValidity:
    """Finds approvals that do not count any more, and writes that down."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._authorization = authorization

    async def lapses(self, change: Change, policy: Policy, *, besides: str = "") -> Sequence[Lapse]:
        """Return the approvals of ``change`` that ``policy`` does not let count now, without that of ``besides``.

        Raises :class:`bot.errors.DeliveryError` when Slack does not say just now.
        """
        async with self._context.database.reading() as tx:
            decisions = await tx.decisions.of(change.id)
        people = [decision.person for decision in decisions if decision.counts and decision.person != besides]
        return await self._authorization.lapses(policy, change.requester, people)

    async def note(self, tx: Transaction, change: Change, lapses: Sequence[Lapse]) -> Sequence[Decision]:
        """Write down what has lapsed, and return the approvals that count."""
        now = self._context.clock()
        for lapse in lapses:
            await tx.decisions.lapse(change.id, lapse.person, lapse.why)
            answer = lapsed_text([lapse])
            await tx.events.add(
                change.id, "approval_lapsed", at=now, digest=change.digest, person=lapse.person, answer=answer
            )
        return [decision for decision in await tx.decisions.of(change.id) if decision.counts]

    async def in_the_way(self, change: Change, policy: Policy, so: str) -> str:
        """Return that approvals are wanting, and ``so`` ("nothing was sent"); empty when there are enough.

        What has lapsed is written down. Raises :class:`bot.errors.DeliveryError` when Slack does not say just now.
        """
        lapses = await self.lapses(change, policy)
        async with self._context.database.transaction() as tx:
            counting = len(await self.note(tx, change, lapses))
        required = policy.approvals_required
        if counting >= required:
            return ""
        needed = f"{required:,} {'approval is' if required == 1 else 'approvals are'} needed and {counting:,} "
        told = f"{needed}{'counts' if counting == 1 else 'count'}, so {so}. Request the change again."
        return f"{lapsed_text(lapses)} {told}".strip()


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

"""Whether the approvals of a change still count, and whether the request that was clicked is the present one.

An approver who has left, or is none any more in the stage in which they approved, has not approved what is sent
afterwards; nor has one whose stage the rule does not have any more. It is asked when a further approval is given, when
the change starts, and before what follows its canary. What has begun by then is not stopped half-way.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.model.change import Change, MessageRef
from bot.changes.model.messages import Topic
from bot.changes.policy import Lapse, Policy, StageProgress, lapsed_text, open_stage, stage_progress
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
        """Return the approvals of ``change`` that ``policy`` does not let count now.

        That of ``besides``, who is about to approve, is asked only for its stage. Raises
        :class:`bot.errors.DeliveryError` when Slack does not say just now.
        """
        async with self._context.database.reading() as tx:
            decisions = await tx.decisions.of(change.id)
        stages = {stage.name for stage in policy.stages}
        asked = [each for each in decisions if each.counts and (each.person != besides or each.stage not in stages)]
        return await self._authorization.lapses(policy, change.requester, asked)

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

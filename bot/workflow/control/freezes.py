"""Stopping for a while everything that is not at the provider yet."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.model.batches import StopReach
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.locks import Freeze
from bot.changes.text.characters import is_blank
from bot.changes.text.counts import counted
from bot.errors import InputError, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.emergency_brake import EmergencyBrake
from bot.workflow.execution.stop import reach
from bot.workflow.notifications import Notifications

#: States whose cards say that submissions are frozen.
SHOWN = (
    ChangeState.AWAITING_APPROVAL,
    ChangeState.CHANGES_REQUESTED,
    ChangeState.APPROVED,
    ChangeState.RUNNING,
    ChangeState.VERIFYING,
    ChangeState.PAUSED,
    ChangeState.IN_EFFECT,
)
#: Most cards updated when a freeze begins or ends; older ones follow at their next edit.
CARDS = 200
#: Most characters of a reason, the same as for other texts that a card repeats.
LONGEST_REASON = 500


class FreezeControl:
    """Freezes and unfreezes submissions, for operators."""

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._refusals = DeniedActions(context)
        self._brake = EmergencyBrake(context)

    @repeatable
    async def freeze(self, reason: str, *, by: str) -> str:
        """Stop all submissions, and return a sentence about what still runs; empty when nothing does.

        While Slack does not say who ``by`` is, its answer of some minutes ago counts, and the sentence says so.

        Raises NotAuthorized, InputError without a reason, Superseded when frozen already.
        """
        async with self._refusals.noting("freeze", by=by):
            reached = await self._freeze(reason, by=by)
        self._context.ring()
        return reached

    async def _freeze(self, reason: str, *, by: str) -> str:
        unsaid = await self._brake.operator(by)
        words = " ".join(reason.split())
        if len(words) > LONGEST_REASON:  # too long a reason must not block the brake; the cut is visible
            words = f"{words[: LONGEST_REASON - 1]}…"
        if is_blank(words):
            raise InputError({"reason": "Give a reason; everybody will see it: /numbers freeze provider maintenance"})
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if (present := await tx.freezes.current()) is not None:
                raise Superseded(f"Submissions are already frozen: {present.reason}")
            await tx.freezes.add(Freeze(by=by, reason=words, at=now))
            memory = {"answer": unsaid} if unsaid else None
            await tx.events.add(None, "frozen", at=now, actor=by, details=memory, reason=words)
            await self._show(tx)
            return f"{await self._reached(tx)} {unsaid}".strip()

    @repeatable
    async def unfreeze(self, *, by: str) -> None:
        """Resume submissions. Raises NotAuthorized, or Superseded when nothing is frozen."""
        async with self._refusals.noting("unfreeze", by=by):
            await self._unfreeze(by=by)
        self._context.ring()

    async def _unfreeze(self, *, by: str) -> None:
        await self._authorization.operate(by)
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if not await tx.freezes.lift(by, now):
                raise Superseded("Submissions are not frozen.")
            await tx.events.add(None, "unfrozen", at=now, actor=by)
            for task in (Task.START, Task.SUBMIT):
                await tx.tasks.hasten_all(task, now)
            # A run of ours resumes when its job is polled.
            await tx.runs.hasten(now)
            ours = [kind.name for kind in self._kinds() if self._context.catalogue.provider(kind).carries_out]
            await tx.tasks.hasten(Task.POLL, now, await tx.job_slots.submitted(ours))
            await self._show(tx)

    def _kinds(self) -> Sequence[Kind]:
        return self._context.catalogue.kinds

    async def _reached(self, tx: Transaction) -> str:
        """Return how many numbers of all running changes the freeze keeps back, and which it cannot."""
        kinds = {kind.name: kind for kind in self._kinds()}
        found = []
        for change in await tx.changes.newest([ChangeState.RUNNING], CARDS):
            if kind := kinds.get(change.kind):
                provider = self._context.catalogue.provider(kind)
                found.append(await reach(tx, provider, await tx.batches.of(change.id)))
        return in_words(found)

    async def _show(self, tx: Transaction) -> None:
        for change in await tx.changes.newest(SHOWN, CARDS):
            await self._notify.cards(tx, change.id)


def in_words(found: Sequence[StopReach]) -> str:
    """Return a sentence about what still runs while submissions are frozen; empty when nothing does."""
    if not found:
        return ""
    unsent, under_way = sum(each.unsent for each in found), sum(each.under_way for each in found)
    at_provider, unknown = sum(each.at_provider for each in found), sum(each.unknown for each in found)
    parts = [counted(unsent, "number waits", "numbers wait")]
    if under_way:
        parts.append(f"{counted(under_way, 'is', 'are')} being sent right now")
    if at_provider:
        parts.append(f"{counted(at_provider, 'is', 'are')} in jobs at the provider, which continue")
    if unknown:
        parts.append(f"{unknown:,} may have been sent (checking with the provider)")
    runs = counted(len(found), "change is running", "changes are running")
    return f"{runs}: {', '.join(parts)}."

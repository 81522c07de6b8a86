"""Promises of the bot, each with the way in which it is broken in a copy: whether the judge notices shows there."""

from __future__ import annotations

from typing import Final

from tests.broken import Broken
from tests.simulation import approval_promises

EXECUTION: Final = "bot/workflow/execution"

MUTANTS: Final = (
    *approval_promises.MUTANTS,
    Broken(
        "what was stopped is not sent",
        f"{EXECUTION}/submission_gate.py",
        "if change.stopped_at is not None:",
        "if False:",
    ),
    Broken(
        "nothing is sent in a freeze",
        f"{EXECUTION}/submission_gate.py",
        "if await tx.freezes.current() is not None or await tx.batches.undecided(batch.change):",
        "if await tx.batches.undecided(batch.change):",
    ),
    Broken(
        "a stale plan is not sent",
        f"{EXECUTION}/submission_gate.py",
        "if self._staleness.needed(batch, kind):",
        "if False:",
    ),
    Broken(
        "no update of a stale number is sent",
        "bot/providers/close/updates.py",
        "if not (changed := conflicts(kind, told, number.before, number.wanted)):",
        "if not (changed := []):",
    ),
    Broken(
        "no update is sent in a freeze",
        "bot/store/records/bulk_runs.py",
        "return Halt() if await self._connection.scalar(frozen) else None",
        "return None",
    ),
    Broken(
        "a job that nobody confirmed is searched for before it is made again",
        f"{EXECUTION}/submission.py",
        "            await self._unknown(one.claim, one.batch, one.change, error.message)\n",
        "            await self._queue_again(one, timedelta(seconds=5), error.message)\n",
    ),
    Broken(
        "an interrupted message is looked for before it is posted again",
        "bot/workflow/delivery.py",
        "        if not (message.interrupted and _is_new(message, details)):\n            return None\n",
        "        return None\n",
    ),
    Broken(
        "Slack has its time for what a dead process posted",
        "bot/workflow/delivery.py",
        "            if place is None and message.cut_off and _is_new(message, details):\n",
        "            if False:\n",
    ),
    Broken(
        "a click does not hasten what Slack may be posting",
        "bot/store/queue/outbox.py",
        "    if topic not in _PLACES:\n",
        "    if True:\n",
    ),
    Broken(
        "Slack has its time for a notice that somebody died over",
        "bot/workflow/approval/delegation_notices.py",
        "            if claim.tries > 1:  # and nobody has waited since the latest attempt\n",
        "            if False:\n",
    ),
    Broken(
        "what has ended lets go of its numbers",
        "bot/store/records/changes.py",
        "            await Locks(self._connection).release(change)\n",
        "            pass\n",
    ),
    Broken(
        "two changes never hold one number",
        "bot/store/records/locks.py",
        "        ).where(operations.c.change_id == change, operations.c.batch.is_not(None))\n",
        "        ).where(operations.c.change_id == change, operations.c.batch.is_not(None))\n"
        "        planned = planned.where(operations.c.number_id.not_in(select(locks.c.number_id)))\n",
    ),
    Broken(
        "what was sent is compared with what is there",
        "bot/changes/outcome/readback.py",
        "def differing(kind: Kind, sent: Values, found: Values) -> list[str]:\n",
        "def differing(kind: Kind, sent: Values, found: Values) -> list[str]:\n    return []\n\n\n"
        "def _differing(kind: Kind, sent: Values, found: Values) -> list[str]:\n",
    ),
    Broken(
        "whoever is refused is told",
        "bot/slack/click_runner.py",
        "            await self._tell(answer, error.message, what)\n",
        "            pass\n",
    ),
    Broken(
        "a modal that was opened is filled",
        "bot/slack/modals.py",
        "        states = chain([None], repeat(self._seen.get(view_id)))\n",
        '        states = chain(["0"], repeat(self._seen.get(view_id)))\n',
    ),
    Broken(
        "what is committed survives a power cut",
        "bot/store/engine/sqlite.py",
        '"synchronous=FULL"',
        '"synchronous=NORMAL"',
    ),
    Broken(
        "an event follows from the one before it",
        "bot/store/database.py",
        "            await tx.events.seal()\n",
        "",
    ),
    Broken(
        "the results of every change are shared",
        f"{EXECUTION}/completion.py",
        "        await self._notify.results(tx, change.id)\n",
        "",
    ),
    Broken(
        "one list without the job is not enough to make it again",
        f"{EXECUTION}/reconciliation.py",
        "ABSENCES = 2",
        "ABSENCES = 1",
    ),
    Broken(
        "a number that is not sent is told as such",
        f"{EXECUTION}/settlement.py",
        "        OperationState.NOT_ATTEMPTED,\n",
        "        OperationState.WAITING,\n",
    ),
    Broken(
        "what Slack put off is said later",
        "bot/workflow/delivery.py",
        "            wait = timedelta(seconds=error.wait)\n",
        "            wait = timedelta(days=1)\n",
    ),
    Broken(
        "what somebody changed meanwhile is not restored",
        "bot/workflow/planning/follow_ups.py",
        "        if not since:\n            return snapshots, ()\n",
        "        if not since or base.what is FollowUp.RESTORE:\n            return snapshots, ()\n",
    ),
    Broken(
        "what is in effect holds its numbers until its end",
        f"{EXECUTION}/ending.py",
        "        await tx.changes.move(change.id, ChangeState.IN_EFFECT)\n",
        "        await tx.changes.move(change.id, ChangeState.IN_EFFECT)\n        await tx.locks.release(change.id)\n",
    ),
    Broken(
        "a change is ended early once",
        f"{EXECUTION}/ending.py",
        "            if restore is not None or change.until.at <= now + AT_ONCE:\n",
        "            if False:\n",
    ),
    Broken(
        "only its requester and operators end a change early",
        f"{EXECUTION}/ending.py",
        '        await self._authorization.requester_or_operator(by, change, to="end")\n',
        "",
    ),
    Broken(
        "only its requester and operators let the rest of a rollout go",
        f"{EXECUTION}/rollout.py",
        '        await self._authorization.requester_or_operator(by, change, to="continue")\n',
        "",
    ),
    Broken(
        "a later end is approved before it counts",
        "bot/workflow/approval/extensions.py",
        "            await tx.tasks.add(Task.DISCARD, extension, now + self._context.timing.plan_ttl)\n",
        "            await tx.tasks.add(Task.DISCARD, extension, now + self._context.timing.plan_ttl)\n"
        "            await tx.changes.put(change_id, until=until)\n",
    ),
    Broken(
        "what takes no list is held against the file of numbers",
        "bot/providers/telnyx/downloads.py",
        "    return both\n\n\ndef _only(",
        "    return listed\n\n\ndef _only(",
    ),
    Broken(
        "a plan that was sent back lets go of its numbers",
        "bot/workflow/revisions.py",
        "    await tx.locks.release(change.id)\n",
        "",
    ),
)

"""The messages that each step of a change leads to; written in the step's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.changes.model.change import Change
from bot.changes.model.file_format import FileFormat
from bot.changes.model.messages import QUESTION, MessageRef, Topic
from bot.changes.policy import StageProgress
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.ports import CUT_OFF_WAIT

#: How soon operators are asked. Batches of one change tend to get into trouble together.
ASK_WITHIN = timedelta(seconds=2)


class Notifications:
    """Puts messages into the outbox. A thread gets at most eight lines, however many jobs there are.

    A rollout adds two for each wave after which it pauses, and an approval in stages one for each stage that opens.

    A part of a temporary change has neither card nor thread: those of the temporary change show and tell it.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._pause = context.timing.card

    async def preview(self, tx: Transaction, change: int, *, progress: str = "") -> None:
        """Show the plan, its progress, or why there is none, in the modal that waits for it."""
        if await tx.changes.whole(change) == change:
            await tx.outbox.show(change, Topic.PREVIEW, now=self._clock(), data={"progress": progress})

    async def card(self, tx: Transaction, change: int) -> None:
        """Update the card, no more often than the card's pause allows."""
        whole = await tx.changes.whole(change)
        await tx.outbox.show(whole, Topic.CARD, now=self._clock(), pause=self._pause, settling=CUT_OFF_WAIT)

    async def cards(self, tx: Transaction, change: int) -> None:
        """Update the card and the request for approval."""
        await self.card(tx, change)
        # The request has few edits, and a button that no longer decides anything must go at once.
        if await tx.changes.asks(change):
            await tx.outbox.show(change, Topic.APPROVAL_CARD, now=self._clock(), settling=CUT_OFF_WAIT)

    async def line(self, tx: Transaction, change: int, what: str, *, each: str = "", **data: str | int) -> None:
        """Write a line of history into the thread, once, or once for ``each`` thing that it is about."""
        whole = await tx.changes.whole(change)
        part = {} if whole == change else {"part": change}
        await tx.outbox.post(
            whole,
            Topic.THREAD,
            _line(f"{what}:{each}" if each else what, whole, change),
            now=self._clock(),
            data={"what": what, **part, **data},
        )

    async def told(self, tx: Transaction, change: int, what: str) -> Mapping[str, Any] | None:
        """Return the data of a line in the thread; None when there is no such line."""
        whole = await tx.changes.whole(change)
        return await tx.outbox.told(whole, Topic.THREAD, _line(what, whole, change))

    async def reminder(self, tx: Transaction, change: Change, times: int, opened: StageProgress) -> None:
        """Remind the approvers below the request for approval, for the ``times``-th time in the open stage."""
        name = f"{_opening(opened, change)}:{times}" if opened.opened_at != change.requested_at else str(times)
        await tx.outbox.post(change.id, Topic.REMINDER, _of_plan(name, change), now=self._clock())

    async def stage(self, tx: Transaction, change: Change, opened: StageProgress, *, why: str) -> None:
        """Tell thread and approvers that a stage has opened, or, with ``why``, that it is open again."""
        opening, name = _opening(opened, change), opened.stage.name
        data: dict[str, str | int] = {"stage": name, "place": opened.place, "why": why}
        await self.line(tx, change.id, "stage", each=opening, **data)
        await tx.outbox.post(
            change.id, Topic.REMINDER, f"stage:{opening}", now=self._clock(), data={"what": "stage", **data}
        )

    async def fallback(self, tx: Transaction, change: Change, opened: StageProgress) -> None:
        """Tell the fallback approvers of the open stage, once, that they may approve."""
        await tx.outbox.post(
            change.id,
            Topic.REMINDER,
            _fallback(opened, change),
            now=self._clock(),
            data={"what": "fallback", "stage": opened.stage.name},
        )

    async def fallback_told(self, tx: Transaction, change: Change, opened: StageProgress) -> bool:
        """Tell whether the fallback approvers of the open stage have been told."""
        return await tx.outbox.told(change.id, Topic.REMINDER, _fallback(opened, change)) is not None

    async def undecided(self, tx: Transaction, change: Change) -> None:
        """Remind the approvers, once, that the start has passed and the request still waits."""
        await tx.outbox.post(change.id, Topic.REMINDER, _of_plan("start", change), now=self._clock())

    async def revised(self, tx: Transaction, change: int, digest: str, *, anew: bool) -> None:
        """Tell thread and approvers that approval of another plan is requested: an edited card notifies nobody.

        A request posted ``anew``, elsewhere, notifies by itself.
        """
        plan = digest[:12]
        await self.line(tx, change, "revised", each=plan)
        await tx.outbox.post(change, Topic.PLAN, f"asked:{plan}", now=self._clock(), data={"plan": plan})
        if not anew:
            await tx.outbox.post(change, Topic.REMINDER, f"revised:{plan}", now=self._clock(), data={"what": "revised"})

    async def plan(self, tx: Transaction, change: int) -> None:
        """Put the sheet with all that is going to happen into the thread."""
        await tx.outbox.post(change, Topic.PLAN, "asked", now=self._clock())

    async def sheet(self, tx: Transaction, change: int) -> None:
        """Return the requester's sheet with its errors marked, in a direct message."""
        await tx.outbox.post(change, Topic.SHEET, "errors", now=self._clock())

    async def results(self, tx: Transaction, change: int) -> None:
        """Put the sheet with every number into the thread."""
        await tx.outbox.post(change, Topic.RESULTS, "final", now=self._clock())

    async def workbook(self, tx: Transaction, change: int) -> None:
        """Put the same sheet into the thread as XLSX, once however often it is requested."""
        form = FileFormat.XLSX.value
        await tx.outbox.post(change, Topic.RESULTS, form, now=self._clock(), data={"form": form})

    async def former(self, tx: Transaction, change: int, what: Topic, place: MessageRef) -> None:
        """Edit a card left behind at ``place`` so that it says where the current one is."""
        if place.ts:
            data = {"what": what.value, "channel": place.channel, "ts": place.ts}
            await tx.outbox.post(change, Topic.FORMER, place.ts, now=self._clock(), data=data)

    async def ask(self, tx: Transaction, change: int) -> None:
        """Have operators asked in a moment; other questions that come up by then share the message."""
        await tx.tasks.add(Task.ESCALATE, change, self._clock() + ASK_WITHIN)

    async def question(self, tx: Transaction, change: int) -> None:
        """Ask operators in the failure channel about everything that waits for them now."""
        await self._notice(tx, change, f"question:{self._clock():%Y%m%d%H%M%S%f}", {"what": QUESTION})

    async def failure(self, tx: Transaction, change: int, what: str, *, each: str = "", **data: str | int) -> None:
        """Tell the failure channel, once per ``what``, or once for ``each`` thing that it is about."""
        name = f"{what}:{each}" if each else what
        await self._notice(tx, change, name, {"what": what, "each": each, **data})

    async def _notice(self, tx: Transaction, change: int, name: str, data: Mapping[str, Any]) -> None:
        """Post into the failure channel of the rule that governs the change, or the whole that it is a part of.

        The channel is written down with the notice: an interrupted notice is looked for where it was sent, even if the
        policy has changed since.
        """
        whole = await tx.changes.get(await tx.changes.whole(change))
        channel = self._context.governing(whole).failure_channel
        await tx.outbox.post(change, Topic.FAILURE, name, now=self._clock(), data=data, channel=channel)


def _opening(opened: StageProgress, change: Change) -> str:
    """Return the key of the message that a stage is open, one for each time that it opens."""
    since = f":{opened.opened_at:%Y%m%d%H%M%S%f}" if opened.opened_at != change.requested_at else ""
    return _of_plan(f"{opened.place}{since}", change)


def _fallback(opened: StageProgress, change: Change) -> str:
    """Return the key of the message to the fallback approvers, one for each time that their stage opens."""
    return f"fallback:{_opening(opened, change)}"


def _of_plan(name: str, change: Change) -> str:
    """Return the key of a message about the current plan of ``change``, one for each plan."""
    return f"{name}:{change.digest[:12]}" if change.former_digest else name


def _line(what: str, whole: int, change: int) -> str:
    """Return the key of a line in the thread of ``whole``."""
    return what if whole == change else f"{what}:{change}"

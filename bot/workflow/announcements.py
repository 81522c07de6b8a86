"""Which messages each step of a change leads to; written in the step's own transaction."""

from __future__ import annotations

from bot.changes.messages import Topic
from bot.changes.tabular import Form
from bot.store.transaction import Transaction
from bot.workflow.context import Context


class Announcements:
    """Puts messages into the outbox. At most eight lines go into a thread, however many jobs there are."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._pause = context.timing.card

    async def preview(self, tx: Transaction, change: int) -> None:
        """Show the plan, or why there is none, in the modal that waits for it."""
        await tx.outbox.show(change, Topic.PREVIEW, now=self._clock())

    async def card(self, tx: Transaction, change: int) -> None:
        """Bring the card up to date, not more often than the card's pause allows."""
        await tx.outbox.show(change, Topic.CARD, now=self._clock(), pause=self._pause)

    async def cards(self, tx: Transaction, change: int) -> None:
        """Bring the card and the request for approval up to date."""
        await self.card(tx, change)
        # Its edits are few, and a button that decides nothing any more has to go at once.
        await tx.outbox.show(change, Topic.APPROVAL_CARD, now=self._clock())

    async def line(self, tx: Transaction, change: int, what: str, **data: str | int) -> None:
        """Write a line of history into the thread, once."""
        await tx.outbox.post(change, Topic.THREAD, what, now=self._clock(), data={"what": what, **data})

    async def reminder(self, tx: Transaction, change: int, times: int) -> None:
        """Remind the approvers below the request for approval, for the ``times``-th time."""
        await tx.outbox.post(change, Topic.REMINDER, str(times), now=self._clock())

    async def undecided(self, tx: Transaction, change: int) -> None:
        """Remind the approvers, once, that the start has come and the request still waits."""
        await tx.outbox.post(change, Topic.REMINDER, "start", now=self._clock())

    async def plan(self, tx: Transaction, change: int) -> None:
        """Put the sheet with everything that is going to happen into the thread."""
        await tx.outbox.post(change, Topic.PLAN, "asked", now=self._clock())

    async def results(self, tx: Transaction, change: int) -> None:
        """Put the sheet with every number into the thread."""
        await tx.outbox.post(change, Topic.RESULTS, "final", now=self._clock())

    async def workbook(self, tx: Transaction, change: int) -> None:
        """Put the same sheet into the thread as XLSX, once however often it is asked for."""
        form = Form.XLSX.value
        await tx.outbox.post(change, Topic.RESULTS, form, now=self._clock(), data={"form": form})

    async def failure(self, tx: Transaction, change: int, what: str, **data: str | int) -> None:
        """Tell the failure channel, once per ``what``."""
        await tx.outbox.post(change, Topic.FAILURE, what, now=self._clock(), data={"what": what, **data})

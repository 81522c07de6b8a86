"""Telling the people who run Linesman of work that keeps failing, and of rejected API keys."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from bot.changes.model.messages import FAULT, OutboxMessage, Topic
from bot.changes.model.public_ids import public_id
from bot.errors import ChannelLost, DatabaseUnavailable, DeliveryError
from bot.store.queue.tasks import ON_BATCHES, ON_NO_CHANGE, Claim
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.health import FEW, TaskFailure
from bot.workflow.notifications import Notifications
from bot.workflow.ports import Announcements

log = structlog.get_logger(__name__)


class FailureAlerts:
    """Counts unforeseen failures; after a few in a row, tells operators in the failure channel, once a day."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._notify = Notifications(context)

    async def task_failed(self, claim: Claim, error: Exception) -> None:
        """Note that a task failed."""
        change = await self._change(claim)
        name = public_id(change) if change else ""
        fault = self._context.task_failures.count(claim.key, what=claim.task.value, change=name, error=error)
        await self._tell(change, fault)

    async def message_failed(self, message: OutboxMessage, error: Exception) -> None:
        """Note that a message could not be delivered through a fault of ours."""
        name = public_id(message.change)
        fault = self._context.task_failures.count(message.key, what="message", change=name, error=error)
        if message.topic is not Topic.FAILURE:  # no notice can tell of a notice that cannot be delivered
            await self._tell(message.change, fault)

    async def _change(self, claim: Claim) -> int | None:
        if claim.task in ON_NO_CHANGE:
            return None
        if claim.task not in ON_BATCHES:
            return claim.subject
        try:
            async with self._context.database.reading() as tx:
                return (await tx.batches.get(claim.subject)).change
        except DatabaseUnavailable:  # the log has it already
            return None
        except Exception:  # the row itself may be unreadable
            log.exception("cannot find the change of a task", task=claim.task.value, subject=claim.subject)
            return None

    async def _tell(self, change: int | None, fault: TaskFailure) -> None:
        if change is None or fault.times < FEW:
            return
        try:
            async with self._context.database.transaction() as tx:
                await self._post(tx, change, fault)
        except DatabaseUnavailable:  # as above
            return
        except Exception:  # /readyz, the metric and the log tell it all the same
            log.exception("operators cannot be notified", change=change, what=fault.what)
            return
        self._context.outbox_wakeup.ring()

    async def _post(self, tx: Transaction, change: int, fault: TaskFailure) -> None:
        day = f"{self._context.clock():%Y%m%d}"
        each, times = f"{fault.what}:{day}", fault.times
        await self._notify.failure(tx, change, FAULT, each=each, task=fault.what, times=times, why=fault.why)


#: How long operators are not told again, however many calls are rejected. A restart forgets it, because somebody may
#: have tried another key.
AGAIN: Final = timedelta(hours=1)
#: Seconds until a notice that Slack did not accept is tried again.
RETRY: Final = 30.0


class KeyAlerts:
    """Posts a notice into the failure channel, once an hour for each provider that rejects calls.

    The notice is not in the outbox: it belongs to no change, and if it is lost with the process, the next rejected call
    brings another one.
    """

    def __init__(self, context: Context, announcements: Announcements) -> None:
        self._context = context
        self._announcements = announcements
        self._told: dict[str, datetime] = {}
        #: Provider's title -> what operators have yet to read.
        self._due: dict[str, str] = {}
        self._met = asyncio.Event()
        for provider in context.catalogue.providers:
            provider.key.watch(partial(self._refused, provider.title))

    def _refused(self, provider: str, remedy: str) -> None:
        told, now = self._told.get(provider), self._context.clock()
        # A notice dated ahead of now was posted before somebody set the clock back, so nobody knows how old it is.
        if told is None or not timedelta(0) <= now - told < AGAIN:
            self._told[provider], self._due[provider] = now, remedy
            self._met.set()

    async def tell(self) -> float:
        """Wait until notices are due, and post them; return 0, the seconds until there may be more."""
        await self._met.wait()
        self._met.clear()
        for provider, remedy in list(self._due.items()):
            await self._post(provider, remedy)
        return 0

    async def _post(self, provider: str, remedy: str) -> None:
        text = (
            f"🔑 {remedy} Until then nothing at {provider} can be planned, looked up, sent or read back, and people "
            "who try are told that you were notified."
        )
        # The notice belongs to no change, so no rule says where it goes.
        policy = self._context.policies.fallback
        try:
            try:
                await self._announcements.announce(policy.failure_channel, text)
            except ChannelLost:
                await self._announcements.announce(policy.approval_channel, text)
        except DeliveryError as error:
            log.warning("operators are not told of a key yet", provider=provider, why=error.message)
            asyncio.get_running_loop().call_later(RETRY, self._met.set)
        else:
            del self._due[provider]

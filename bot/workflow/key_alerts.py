"""Telling operators that a provider does not accept the API key, wherever that was met."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from bot.errors import ChannelLost, DeliveryError
from bot.workflow.context import Context
from bot.workflow.ports import Announcements

log = structlog.get_logger(__name__)

#: How long operators are not told again, however many calls are refused; a start forgets it, because somebody may
#: have tried another key.
AGAIN: Final = timedelta(hours=1)
#: Seconds until a notice that Slack did not take is tried again.
RETRY: Final = 30.0


class KeyAlerts:
    """Posts the notice into the failure channel, once an hour for each provider whose calls are refused.

    It stands in no outbox: it belongs to no change, and if it is lost with the process, the next refused call brings
    another one.
    """

    def __init__(self, context: Context, announcements: Announcements) -> None:
        self._context = context
        self._announcements = announcements
        self._told: dict[str, datetime] = {}
        #: Provider's title -> what operators are yet to read.
        self._due: dict[str, str] = {}
        self._met = asyncio.Event()
        for provider in context.catalogue.providers:
            provider.key.watch(partial(self._refused, provider.title))

    def _refused(self, provider: str, remedy: str) -> None:
        told, now = self._told.get(provider), self._context.clock()
        # A notice that seems to lie ahead was posted before somebody put the clock back: how old it is nobody knows.
        if told is None or not timedelta(0) <= now - told < AGAIN:
            self._told[provider], self._due[provider] = now, remedy
            self._met.set()

    async def tell(self) -> None:
        """Post the notices as they become due, for ever."""
        while True:
            await self._met.wait()
            self._met.clear()
            for provider, remedy in list(self._due.items()):
                await self._post(provider, remedy)

    async def _post(self, provider: str, remedy: str) -> None:
        text = (
            f"🔑 {remedy} Until then nothing at {provider} can be planned, looked up, sent or read back, and people "
            "who try are told that you were notified."
        )
        try:
            try:
                await self._announcements.announce(self._context.failure_channel, text)
            except ChannelLost:
                await self._announcements.announce(self._context.approval_channel, text)
        except DeliveryError as error:
            log.warning("operators are not told of a key yet", provider=provider, why=error.message)
            asyncio.get_running_loop().call_later(RETRY, self._met.set)
        else:
            del self._due[provider]


@asynccontextmanager
async def keys_watched(
    alerts: KeyAlerts, cancel: Callable[[Collection[asyncio.Task[None]]], Awaitable[None]]
) -> AsyncIterator[None]:
    """Tell operators until the block ends; ``cancel`` cancels tasks."""
    task = asyncio.create_task(alerts.tell())
    try:
        yield
    finally:
        await cancel({task})

"""The journal: every call, delivery and complaint, and the one place to wait for something to happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from bot.sandbox.slack.records import Call, Delivery, Json

T = TypeVar("T")
Clock = Callable[[], datetime]

#: a predicate may look at something outside Slack, which does not report its changes here
BACKSTOP_SECONDS = 0.1


def utc_now() -> datetime:
    """Return the aware time of the wall clock."""
    return datetime.now(UTC)


class Journal:
    """What passed between Slack and the bot, in order."""

    def __init__(self, clock: Clock) -> None:
        self.calls: list[Call] = []
        self.deliveries: list[Delivery] = []
        #: things that Slack lets pass and a person or the platform would suffer from
        self.complaints: list[str] = []
        #: how often something has changed
        self.changes = 0
        self._clock = clock
        #: As a dictionary they are woken in the order in which they came.
        self._waiters: dict[asyncio.Event, None] = {}

    def call(self, method: str, params: Json) -> Call:
        """Enter a call that has just arrived."""
        entry = Call(method=method, params=params, at=self._clock())
        self.calls.append(entry)
        return entry

    def delivery(self, *, kind: str, payload: Json, transport: str, retry: int = 0) -> Delivery:
        """Enter a delivery that is about to be sent."""
        entry = Delivery(kind=kind, payload=payload, at=self._clock(), transport=transport, retry=retry)
        self.deliveries.append(entry)
        return entry

    def complain(self, sentence: str) -> None:
        """Enter something that the bot should not do although Slack lets it pass."""
        self.complaints.append(sentence)
        self.touch()

    def touch(self) -> None:
        """Wake everybody who waits: something changed."""
        self.changes += 1
        for waiter in self._waiters:
            waiter.set()

    async def wait_for(self, predicate: Callable[[], T], *, timeout: float, what: str = "") -> T:  # noqa: ASYNC109 - the caller's words; it is asyncio.timeout inside
        """Return the predicate's first truthy value; evaluated after every change.

        Raises TimeoutError that tells the last calls, deliveries and complaints.
        """
        changed = asyncio.Event()
        self._waiters[changed] = None
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        try:
            while not (found := predicate()):
                left = end - loop.time()
                if left <= 0:
                    raise TimeoutError(self._describe(timeout, what))
                changed.clear()
                try:
                    async with asyncio.timeout(min(left, BACKSTOP_SECONDS)):
                        await changed.wait()
                except TimeoutError:
                    continue
            return found
        finally:
            del self._waiters[changed]

    def _describe(self, timeout: float, what: str) -> str:
        calls = ", ".join(f"{call.method}={call.error or 'ok'}" for call in self.calls[-8:])
        sent = ", ".join(f"{each.kind}={each.error or 'ok'}" for each in self.deliveries[-5:])
        return (
            f"waited {timeout:g} s for {what or 'the condition'}; last calls: [{calls}]; "
            f"last deliveries: [{sent}]; complaints: {self.complaints[-5:]}"
        )

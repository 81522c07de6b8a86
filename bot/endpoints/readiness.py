"""Whether this replica can be sent work, from start to end, and its metrics meanwhile.

The HTTP server answers before any waiting and until the last part is closed, so that a probe does not kill a process
that rightly waits, and a load balancer learns of a stop before connections are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bot.endpoints.metrics import Troubles, starting
from bot.errors import StoreError
from bot.workflow.context import Context
from bot.workflow.health import Health

#: Longest wait for the database, in seconds.
WITHIN = 2.0
_UNREACHED = "There is no connection to Slack, so no click arrives: Linesman keeps trying to connect."


class Readiness:
    """The content of ``/readyz`` and ``/metrics``."""

    def __init__(self) -> None:
        self._problem = "Linesman is starting."
        self._context: Context | None = None
        self._metrics: Callable[[Troubles], Awaitable[bytes]] = _nothing_yet
        #: Ends when the worker has stopped.
        self._working: asyncio.Task[None] | None = None
        #: Tells whether Slack can deliver clicks; it cannot before the start is over.
        self._reached: Callable[[], Awaitable[bool]] = _never

    def waits_for(self, what: str) -> None:
        """Note what the start waits for."""
        self._problem = f"Linesman is starting: it waits for {what}."

    def works(
        self, context: Context, working: asyncio.Task[None], metrics: Callable[[Troubles], Awaitable[bytes]]
    ) -> None:
        """Note that work runs, and how to get its metrics, troubles included; the start is not over yet."""
        self._context, self._working, self._metrics = context, working, metrics

    def started(self, reached: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Note that the start is over; ``reached`` tells whether Slack can deliver, if that can be known."""
        self._problem = ""
        self._reached = reached or _always

    def stops(self) -> None:
        """Note that nothing new should come here."""
        self._problem = "Linesman is stopping."

    async def metrics(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return await self._metrics(await self._troubles())

    async def problem(self) -> str:
        """Return the problem; empty while work is being done."""
        return self._problem or "; ".join(what for _, what in await self._troubles())

    async def _troubles(self) -> Troubles:
        """Return all troubles that stop work or clicks: each is an alert as well as a 503."""
        context, working = self._context, self._working
        if context is None or working is None:
            return ()
        database = context.database.damage or context.database.trouble or context.database.skew
        if not database:
            try:
                async with asyncio.timeout(WITHIN):
                    await context.database.ping()
            except TimeoutError:
                database = "The database does not answer."
            except StoreError as error:
                database = error.message
        return [
            *([(Health.WORK, "the worker has stopped")] if working.done() else ()),
            *([(Health.DATABASE, database)] if database else ()),
            *context.health.troubles,
            *(() if await self._reached() else [(Health.SLACK, _UNREACHED)]),
        ]

    async def warnings(self) -> Sequence[str]:
        """Return warnings, for troubles that do not stop the work."""
        context = self._context
        if context is None:
            return ()
        try:
            async with asyncio.timeout(WITHIN), context.database.reading() as tx:
                waiting = [
                    await tx.outbox.stuck(),
                    _unknown([*await tx.tasks.unknown(), *await tx.deliveries.unknown()]),
                ]
        except TimeoutError:
            waiting = ["The database does not answer."]
        except StoreError as error:  # since it was asked whether it answers
            waiting = [error.message]
        waits = [
            f"Slack asks to wait with {what} until {until:%Y-%m-%d %H:%M} UTC."
            for what, until in context.slack.waits().items()
        ]
        return [*context.skews, *map(str, context.task_failures.present), *filter(None, waiting), *waits]


def _unknown(names: Sequence[str]) -> str:
    """Return that work of an unknown version waits; empty without any."""
    if not names:
        return ""
    return f"This version of Linesman does not know what to do about {', '.join(names)}: another version wrote that."


async def _always() -> bool:
    return True


async def _never() -> bool:
    return False


async def _nothing_yet(_: Troubles) -> bytes:
    return starting()

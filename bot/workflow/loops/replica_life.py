"""Showing the other replicas that this one lives, and freeing the work of those that do not."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from bot.errors import DatabaseUnavailable
from bot.workflow.context import Context
from bot.workflow.health import Health

log = structlog.get_logger(__name__)

_DOING: Final = "prove to the other replicas that this one is alive, so it takes no work"


class ReplicaLife:
    """Proves to the other replicas every ``pause`` seconds that the one called ``name`` lives."""

    def __init__(self, context: Context, *, name: str, pause: float) -> None:
        self._context = context
        self._name = name
        self._pause = pause
        #: Whether others can see that this replica lives; always true where there can be no others.
        self.seen = not context.database.shared

    async def run(self) -> None:
        """Prove to the other replicas that this one lives, and free what dead ones hold."""
        while self._context.database.shared:
            try:
                async with self._context.database.alive(self._name) as proof:
                    self.seen = True
                    self._context.health.end(Health.DATABASE)
                    self._context.ring()
                    while True:
                        await proof()
                        await self._free_the_dead()
                        self._context.health.went_well(_DOING)
                        await asyncio.sleep(self._pause)
            except DatabaseUnavailable as error:
                self._is_unseen(error)
            except Exception as error:  # no other error may end the proofs: it is tried again
                log.exception("cannot prove that this replica lives")
                self._context.health.failed(_DOING, error)
            self.seen = False
            await asyncio.sleep(self._pause)

    def _is_unseen(self, error: DatabaseUnavailable) -> None:
        """Report that no work is taken, unless the next attempt or the database's own trouble makes that clear."""
        if self.seen:
            log.warning("others cannot see that this replica lives", why=error.message)
        elif not self._context.database.trouble and Health.DATABASE not in self._context.health.present:
            what = f"This replica takes no work, because others cannot see that it is alive. {error.message}"
            self._context.health.begin(Health.DATABASE, what)

    async def _free_the_dead(self) -> None:
        with suppress(DatabaseUnavailable):  # the log has it already, and others may still see this replica
            await self._free_all_dead()

    async def _free_all_dead(self) -> None:
        async with self._context.database.reading() as tx:
            dead = await tx.replicas.dead(besides=self._name)
        for name in dead:
            async with self._context.database.transaction() as tx:
                # The replica may have come back, or another one may have been quicker.
                if name not in await tx.replicas.dead(besides=self._name):
                    continue
                freed = await tx.replicas.release(name, self._context.clock())
            if freed:
                log.warning("work of a dead replica is taken over", dead=name, claims=freed)
                self._context.ring()

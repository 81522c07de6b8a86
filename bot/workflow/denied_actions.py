"""Writing down refused clicks: who clicked, on what, and what they were told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog

from bot.errors import LinesmanError, NotAuthorized, NotFound, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.workflow.context import Context

log = structlog.get_logger(__name__)

#: The event of a refused click.
REFUSED: Final = "click_refused"
#: Most refusals of one person written down per hour: somebody without rights must not fill the audit log either.
#: Further refusals are in the log only, and the last event says so.
MOST: Final = 30
WITHIN: Final = timedelta(hours=1)


class DeniedActions:
    """Notes refused clicks in the audit log."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @asynccontextmanager
    async def noting(self, verb: str, *, by: str, change: int | None = None, digest: str = "") -> AsyncIterator[None]:
        """Write down that ``by`` was refused if the block raises NotAuthorized or Superseded, and raise it again.

        By then, everything that the block wrote has been rolled back: a refusal has no effect but its own event.
        """
        try:
            yield
        except (NotAuthorized, Superseded) as error:
            await self._note(verb, by, change, digest, error)
            raise

    @repeatable
    async def _note(self, verb: str, by: str, change: int | None, digest: str, error: LinesmanError) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            noted = await tx.events.done_by(by, REFUSED, now - WITHIN)
            if noted >= MOST:
                log.warning("refused click not recorded", actor=by, verb=verb, change=change, answer=error.message)
                return
            if change is not None:
                try:
                    await tx.changes.get(change)
                except NotFound:
                    change = None
            told = {"verb": verb, "answer": error.message}
            if noted == MOST - 1:
                told["rest"] = "more refusals of this person within the hour are only in the log"
            await tx.events.add(change, REFUSED, at=now, actor=by, digest=digest, details=told)

"""Preparing the database at the start: waited for where others run it, brought up to date, and tried."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from bot.errors import DatabaseRefused, DatabaseUnavailable
from bot.store.database import Database
from bot.store.migrations import migrate

log = structlog.get_logger(__name__)

#: Seconds between two attempts to reach a server.
RETRY: Final = 3.0


async def prepared(database: Database) -> tuple[str, str]:
    """Bring the database up to date, and return its revision before and after.

    Others start a server and stop it: it is waited for. A file is this machine's own, and who does not let us in says
    the same the next time: that ends the start, with :class:`bot.errors.StoreError`.
    """
    while True:
        try:
            revisions = await migrate(database)
            if database.shared:
                await database.rehearse()
        except DatabaseRefused:
            raise
        except DatabaseUnavailable as error:
            if not database.shared:
                raise
            log.warning("the database does not answer; trying again", why=error.message)
            await asyncio.sleep(RETRY)
        else:
            return revisions

"""Preparing the database at the start: waiting for a server, upgrading, and testing it."""

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
    """Upgrade the database, and return its revision before and after.

    A server is started and stopped by others, so it is waited for. A file belongs to this machine, and a refusal stays
    a refusal: those end the start with :class:`bot.errors.StoreError`.
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

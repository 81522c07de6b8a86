"""SQLite's write-ahead log, and wiped content that it still holds."""

from __future__ import annotations

import sqlite3
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine import sqlite

log = structlog.get_logger(__name__)


class WriteAheadLog:
    """Keeps old versions of pages, including wiped content, until it is emptied."""

    def __init__(self, *, to_scrub: bool) -> None:
        #: Whether it may still hold wiped content.
        self.to_scrub = to_scrub

    async def scrub(self, connection: AsyncConnection) -> None:
        """Empty the log.

        A reader at this moment can prevent it; then it is tried again after the next transaction.
        """
        driver: Any = (await connection.get_raw_connection()).driver_connection
        try:
            await driver.execute("PRAGMA busy_timeout=0")  # not worth a wait while others want to write
            async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                busy, *_ = await cursor.fetchone()
            self.to_scrub = bool(busy)
        except sqlite3.OperationalError as error:
            log.info("write-ahead log not emptied yet", why=str(error))
        finally:
            await driver.execute(f"PRAGMA busy_timeout={sqlite.BUSY_TIMEOUT}")

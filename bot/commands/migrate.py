"""``linesman migrate``: bring the database to the form of this version."""

from __future__ import annotations

import argparse
import asyncio
import sys

from bot.commands import OK, environment
from bot.config import Storage
from bot.store.database import Database
from bot.store.migrations import migrate


def run(_: argparse.Namespace) -> int:
    """Upgrade, and say from what to what."""
    before, after = asyncio.run(_migrated(environment.storage()))
    sys.stdout.write(f"The database had revision {before} and has {after} now.\n")
    return OK


async def _migrated(storage: Storage) -> tuple[str, str]:
    async with Database(storage.database_url.get_secret_value()) as database:
        return await migrate(database)

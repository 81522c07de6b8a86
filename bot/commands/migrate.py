"""``linesman migrate``: upgrade the database to this version, or move everything to PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio

from sqlalchemy import make_url

from bot.commands import environment, report
from bot.config import Storage
from bot.errors import DatabaseUnavailable, InputError, StoreError
from bot.machine import utc_now
from bot.store.database import Database
from bot.store.engine.sqlite_file import path_of
from bot.store.maintenance.moving import Moved, move
from bot.store.migrations import migrate


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the source and target of a move; by default nothing moves."""
    parser.add_argument("--from", dest="source", metavar="URL", help="move from here: sqlite+aiosqlite:///…")
    parser.add_argument("--to", dest="target", metavar="URL", help="to this empty database: postgresql+asyncpg://…")


def run(parsed: argparse.Namespace) -> int:
    """Upgrade or move, and say what was done."""
    if parsed.source is None and parsed.target is None:
        before, after = asyncio.run(_migrated(environment.storage()))
        return report(_upgraded(before, after))
    if parsed.source is None or parsed.target is None:
        raise InputError({"to": "Moving an installation takes both --from and --to."})
    source = environment.storage(parsed.source, called="--from")
    target = environment.storage(parsed.target, called="--to", also=source.secrets())
    moved = asyncio.run(_moved(source, target))
    proof = moved.proof
    return report(
        f"✓ {moved.rows:,} rows were moved. The audit log is intact: it ends with event {proof.head.last}, "
        f"whose hash is {proof.head.hash}.\n"
        "Set DATABASE_URL to the new database. Linesman no longer starts on the old one.\n"
    )


def _upgraded(before: str, after: str) -> str:
    """Return the result for the database whose revision was ``before``; "-" is one without tables."""
    if before == after:
        return f"The database is already at {after}.\n"
    if before == "-":
        return f"Created the tables of the database, at {after}.\n"
    return f"Upgraded the database from {before} to {after}.\n"


async def _migrated(storage: Storage) -> tuple[str, str]:
    async with Database(storage.database_url.get_secret_value()) as database:
        return await migrate(database)


async def _moved(source: Storage, target: Storage) -> Moved:
    here, there = source.database_url.get_secret_value(), target.database_url.get_secret_value()
    path = path_of(make_url(here))
    if path is None or make_url(there).get_backend_name() != "postgresql":
        raise InputError({"from": "An installation moves --from sqlite+aiosqlite:///FILE --to postgresql+asyncpg://…"})
    if not path.exists():
        raise StoreError(f"There is no database {path}: check --from.")
    async with Database(here) as old, Database(there) as new:
        try:
            return await move(old, new, by=environment.who(), now=utc_now())
        except DatabaseUnavailable as error:
            raise StoreError(error.message.replace("DATABASE_URL", "--to")) from error

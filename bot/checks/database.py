"""Checking the database without changing it: nothing is made, locked for long, or migrated."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.checks.findings import Finding, fail, ok, warn
from bot.config import Settings
from bot.errors import StoreError
from bot.store import migrations
from bot.store.database import Database
from bot.store.engine.sqlite_file import is_held, parts_of, path_of, refuse_no_file, seen_by_others

#: A start needs write access to an existing database, which no other process may be blocking.
_SQLITE_TRIES: Final = ("BEGIN IMMEDIATE", "ROLLBACK")


async def database(settings: Settings) -> Sequence[Finding]:
    """Open the database and compare its revision with those that this version knows."""
    url = make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite":
        return await _sqlite(url)
    where = f" on {url.host}" if url.host else ""
    return await _postgres(url, f"The PostgreSQL database {url.database or 'without a name'}{where}")


async def _postgres(url: URL, shown: str) -> Sequence[Finding]:
    """Compare the revision, and try everything that work needs, rolled back; with the messages of all commands."""
    try:
        async with Database(url.render_as_string(hide_password=False), beside=True) as database:
            present = await migrations.present(database)
            if present == migrations.scripts().get_current_head():
                await database.rehearse()
            else:
                await database.rehearse_migration()
    except StoreError as error:
        return [fail(f"{shown} cannot be used. {error.message}")]
    return [_judged(shown, present), *([fail(database.skew)] if database.skew else [])]


async def _sqlite(url: URL) -> Sequence[Finding]:
    path = path_of(url)
    if path is None:
        return [ok("The database is in memory: every start creates a new one.")]
    path = path.absolute()
    shown, held = f"The database {path}", is_held(path)
    found = [warn(f"A running Linesman uses the database {path}: a second one cannot start.")] if held else []
    if trouble := _unwritable(path):
        return [*found, fail(trouble)]
    if (seen := seen_by_others(path)) is not None:
        found.append(warn(f"Others on this machine can read {seen}: run `chmod 600 {seen}`."))
    if not path.exists():
        return [*found, await _tried(url, path)]
    # Unlike a plain path, mode=rw never makes the file; unlike mode=ro, it leaves no -wal and -shm files behind.
    looked_at = url.set(database=path.as_uri(), query={"mode": "rw", "uri": "true"})
    return [*found, await _opened(looked_at, shown, *(() if held else _SQLITE_TRIES))]


async def _tried(url: URL, path: Path) -> Finding:
    """Make another database beside the future one, write to it as a start does, and remove it again."""
    probe = _probe(path)
    try:
        async with Database(url.set(database=str(probe)).render_as_string(hide_password=False)) as database:
            await database.probe()
    except StoreError as error:
        why = str(error.__cause__.orig if isinstance(error.__cause__, DBAPIError) else error.__cause__ or error)
        return fail(f"The database {path} cannot be created: {why}. Fix this, or set DATABASE_URL to another place.")
    finally:
        for part in parts_of(probe):
            with suppress(OSError):  # a file that was not made is not there, and too long a name names nothing
                part.unlink()
    return ok(f"The database {path} does not exist yet: the first start creates it.")


def _probe(path: Path) -> Path:
    """Return an unused name in the folder of the future file, following a link."""
    real = path.resolve()
    return real.with_name(f"{real.name}-check{os.getpid()}")


async def _opened(url: URL, shown: str, *tries: str) -> Finding:
    """Open an SQLite database, run the harmless statements ``tries``, and compare its revision."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            present = await connection.run_sync(migrations.revision)
            if present == migrations.scripts().get_current_head() and await connection.run_sync(migrations.differs):
                return fail(f"{shown} does not have the structure that Linesman gave it: restore a backup.")
            await connection.rollback()
            for statement in tries:
                await connection.exec_driver_sql(statement)
    except StoreError as error:
        return fail(f"{shown} cannot be used. {error.message}")
    except SQLAlchemyError as error:
        why = getattr(error, "orig", None) or type(error).__name__
        return fail(f"{shown} does not open: {why}. Fix this there, or set DATABASE_URL to another database.")
    finally:
        await engine.dispose()
    return _judged(shown, present)


def _judged(shown: str, present: str | None) -> Finding:
    directory = migrations.scripts()
    known = [script.revision for script in directory.walk_revisions()]
    return compared(shown, present, known, directory.get_current_head())


def compared(shown: str, present: str | None, known: Collection[str], head: str | None) -> Finding:
    """Say what the next start does with a database at revision ``present`` (None if it is empty).

    ``known`` are the revisions of this version, ``head`` is the newest of them.
    """
    if present is None:
        return ok(f"{shown} opens and is empty: the first start prepares it.")
    if present not in known:
        return fail(
            f"{shown} has revision {present}, which this version does not know, so a newer Linesman wrote it: "
            f"install that version, or restore a backup."
        )
    if present != head:
        return ok(f"{shown} opens and has revision {present}: the next start upgrades it to {head}.")
    return ok(f"{shown} opens and has the current revision, {present}.")


def _unwritable(path: Path) -> str:
    """Return why Linesman could not write there; empty if it could."""
    folder = path.parent
    if not folder.is_dir():
        return f"The folder {folder} for the database does not exist: create it, or set DATABASE_URL to another place."
    try:
        refuse_no_file(path)
    except StoreError as error:
        return error.message
    closed = [place for place in (folder, *parts_of(path)) if place.exists() and not os.access(place, os.W_OK)]
    if closed:
        return f"{closed[0]} cannot be written by this user: change its owner, or set DATABASE_URL to another place."
    return ""

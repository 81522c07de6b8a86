"""Looking at the database without changing it: nothing is made, locked for long, or migrated."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.checks.findings import Finding, fix, mind, ok
from bot.config import Settings
from bot.store import migrations


async def database(settings: Settings) -> Sequence[Finding]:
    """Open the database and compare its revision with those that this version knows."""
    url = make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite":
        return await _sqlite(url)
    where = f" on {url.host}" if url.host else ""
    return [await _opened(url, f"The PostgreSQL database {url.database or 'without a name'}{where}")]


async def _sqlite(url: URL) -> Sequence[Finding]:
    path = _file(url)
    if path is None:
        return [ok("The database is in memory: each start makes a new one.")]
    shown = f"The database {path}"
    found = [mind(f"A Linesman is running on the database {path}: no second one can start.")] if _in_use(path) else []
    if trouble := _unwritable(path):
        return [*found, fix(trouble)]
    if not path.exists():
        return [*found, ok(f"{shown} does not exist yet: the first start makes it.")]
    # Unlike a plain path, mode=rw never makes the file; unlike mode=ro, it leaves no -wal and -shm files behind.
    looked_at = url.set(database=path.as_uri(), query={"mode": "rw", "uri": "true"})
    return [*found, await _opened(looked_at, shown)]


async def _opened(url: URL, shown: str) -> Finding:
    try:
        engine = create_async_engine(url)
    except ModuleNotFoundError as error:
        return fix(
            f"{shown} needs the driver {error.name or 'asyncpg'}, which is not installed: "
            f"install it with `pip install 'linesman[postgres]'`."
        )
    try:
        async with engine.connect() as connection:
            present = await connection.run_sync(_revision)
    except SQLAlchemyError as error:
        why = getattr(error, "orig", None) or type(error).__name__
        return fix(f"{shown} does not open: {why}. Put this right there, or set DATABASE_URL to another database.")
    except OSError as error:
        why = error.strerror or type(error).__name__
        return fix(f"{shown} cannot be reached: {why}. Look whether DATABASE_URL is right and its server runs.")
    finally:
        await engine.dispose()
    scripts = _scripts()
    known = [script.revision for script in scripts.walk_revisions()]
    return compared(shown, present, known, scripts.get_current_head())


def compared(shown: str, present: str | None, known: Collection[str], head: str | None) -> Finding:
    """Say what the next start does with a database at revision ``present`` (None when it is empty).

    ``known`` are the revisions of this version, ``head`` is the newest of them.
    """
    if present is None:
        return ok(f"{shown} opens and is empty: the first start prepares it.")
    if present not in known:
        return fix(
            f"{shown} has revision {present}, which this version does not know, so a newer Linesman wrote it: "
            f"install that version, or restore a backup."
        )
    if present != head:
        return ok(f"{shown} opens and has revision {present}: the next start brings it to {head}.")
    return ok(f"{shown} opens and has the current revision, {present}.")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return ScriptDirectory.from_config(config)


def _file(url: URL) -> Path | None:
    return None if url.database in {None, "", ":memory:"} else Path(str(url.database)).absolute()


def _in_use(path: Path) -> bool:
    """Tell whether a process holds the lock beside the file (:class:`bot.store.database.Database`)."""
    try:
        handle = path.with_name(path.name + ".lock").open()
    except OSError:
        return False  # no Linesman has been started there, or this user could not start one, which is told elsewhere
    with handle:
        try:
            # Shared, so that two checks at once do not take each other for a running Linesman.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _unwritable(path: Path) -> str:
    """Return why Linesman could not write there; empty when it could."""
    folder = path.parent
    if not folder.is_dir():
        return f"The folder {folder} for the database does not exist: make it, or set DATABASE_URL to another place."
    closed = [place for place in (folder, path) if place.exists() and not os.access(place, os.W_OK)]
    if closed:
        return f"{closed[0]} cannot be written by this user: change its owner, or set DATABASE_URL to another place."
    return ""

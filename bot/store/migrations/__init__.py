"""Upgrading a database to the form that this version expects."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text

from bot.errors import DatabaseTooNew, StoreError
from bot.store.database import Database
from bot.store.engine.postgres import TURN
from bot.store.tables import metadata

#: Any number, the same in every version: replicas that start together take turns.
_ADVISORY_LOCK = 4_711_042
#: The table in which Alembic keeps the revision.
_VERSION = "alembic_version"
#: Stands for the revision in a database whose installation was moved away.
MOVED = "moved"


async def migrate(database: Database) -> tuple[str, str]:
    """Upgrade ``database`` and return its revision before and after; ``-`` for an empty one.

    Raises :class:`bot.errors.DatabaseTooNew` when a newer Linesman has written it; then nothing is touched.
    """
    async with database.connection() as connection:
        return await connection.run_sync(upgrade)


async def require_current(database: Database) -> None:
    """Raise :class:`bot.errors.StoreError` unless ``database`` has the form of this version; nothing is changed."""
    is_there, head = await present(database), scripts().get_current_head()
    if is_there != head:
        found = f"has revision {is_there}" if is_there else "is empty"
        raise StoreError(
            f"The database {found}, and this version needs revision {head}: run `linesman migrate` with the version "
            "that is to use it."
        )


async def present(database: Database) -> str | None:
    """Return the revision of ``database``; None when it is empty. Raises StoreError when it has several."""
    async with database.connection() as connection:
        return await connection.run_sync(revision)


def revision(connection: Connection) -> str | None:
    """Return the revision of a database; None when it is empty.

    Raises StoreError when it has several, when its content was moved elsewhere, or when it is another program's.
    """
    context = MigrationContext.configure(connection)
    try:
        present = context.get_current_revision()
    except CommandError as error:
        raise StoreError("The database names several revisions of itself: restore a backup.") from error
    if present == MOVED:
        raise StoreError(
            "This installation was moved to another database by `linesman migrate`: set DATABASE_URL to it."
        )
    # A PostgreSQL database may be shared with others; a file belongs to one program, and nobody mixes it with ours.
    if present is None and context.dialect.name == "sqlite" and {*inspect(connection).get_table_names()} - {_VERSION}:
        raise StoreError(
            "The database file has tables that are not Linesman's: set DATABASE_URL to a file of its own. "
            "If it was Linesman's, restore a backup."
        )
    return present


def differs(connection: Connection) -> bool:
    """Tell whether a database of the newest revision has another structure than the migrations give it."""
    return bool(compare_metadata(MigrationContext.configure(connection), metadata))


@cache
def scripts() -> ScriptDirectory:
    """Return the migrations of this version, read once."""
    return ScriptDirectory.from_config(_config())


def take_turn(connection: Connection) -> None:
    """Wait until no other replica changes the form of the same database, and keep others waiting until the commit.

    Writers wait too: each finds out in its transaction that the form has changed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        connection.execute(TURN)


def upgrade(connection: Connection) -> tuple[str, str]:
    """Upgrade within the transaction of ``connection``, and return what :func:`migrate` does."""
    take_turn(connection)
    known = {script.revision for script in scripts().walk_revisions()}
    before, head = revision(connection), scripts().get_current_head() or "-"
    if before is not None and before not in known:
        raise DatabaseTooNew(
            f"The database has revision {before}, which this version does not know: "
            "it was written by a newer Linesman. Install that version, or restore a backup."
        )
    if before != head:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before or "-", head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config

"""A database as an earlier version left it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from bot.store import migrations
from bot.store.database import Database
from bot.store.tables import metadata

#: The last revision without the chain.
BEFORE = "0002"


async def downgrade(database: Database, revision: str = BEFORE) -> None:
    """Take the empty database back to ``revision``, without it to before the chain."""

    def rebuild(connection: Connection) -> None:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with database.engine.begin() as connection:
        await connection.run_sync(rebuild)

"""A fresh database for each test; the same promises hold for SQLite and PostgreSQL.

PostgreSQL takes part when ``TEST_POSTGRES_URL`` names a database that may be emptied, such as
``postgresql+asyncpg://postgres@127.0.0.1/test``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.store.database import Database
from bot.store.migrations import migrate

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES else [])])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Return an empty database in the form of this version."""
    url = POSTGRES if request.param == "postgresql" else f"sqlite+aiosqlite:///{tmp_path}/linesman.db"
    async with Database(url) as fresh:
        if request.param == "postgresql":
            async with fresh.engine.begin() as connection:
                await connection.execute(text("DROP SCHEMA public CASCADE"))
                await connection.execute(text("CREATE SCHEMA public"))
        await migrate(fresh)
        yield fresh

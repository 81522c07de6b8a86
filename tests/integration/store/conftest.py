"""A fresh database for each test; the same promises hold for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.store.database import Database
from bot.store.migrations import migrate


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Return an empty database in the form of this version."""
    on_postgres = request.param == "postgresql"
    url = request.getfixturevalue("postgres") if on_postgres else f"sqlite+aiosqlite:///{tmp_path}/linesman.db"
    async with Database(url) as fresh:
        if on_postgres:
            async with fresh.engine.begin() as connection:
                await connection.execute(text("DROP SCHEMA public CASCADE"))
                await connection.execute(text("CREATE SCHEMA public"))
        await migrate(fresh)
        yield fresh

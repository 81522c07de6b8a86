"""Settings by people that affect all changes: lent rights, and freezes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, Integer, String, Table, Text

from bot.store.tables.columns import UtcTime, metadata

delegations: Final = Table(
    "delegations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("delegator", String(32), nullable=False),
    Column("delegate", String(32), nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("ends_zone", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", String(32), nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("told", Integer, nullable=False, server_default="0"),
    Column("floor", String(32), nullable=False, server_default=""),
    Index(None, "delegate", "ended_at"),
    Index(None, "delegator", "ended_at"),
    sqlite_autoincrement=True,  # a button of a pruned delegation never ends another one
)

freezes: Final = Table(
    "freezes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("by", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("lifted_by", String(32)),
    Column("lifted_at", UtcTime),
)

"""The audit log."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table

from bot.store.tables.columns import UtcTime, metadata

events: Final = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("change_id", ForeignKey("changes.id")),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(32), nullable=False),
    Column("what", String(48), nullable=False),
    Column("digest", String(64), nullable=False, server_default=""),
    Column("details", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "change_id", "id"),
    Index(None, "actor", "what", "at"),
    sqlite_autoincrement=True,  # the audit log's order is its ids; none is ever reused
)

audit_head: Final = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1: the head
    Column("last", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

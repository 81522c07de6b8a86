"""Work and messages that are due, and requested files."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from bot.store.tables.columns import UtcTime, metadata

tasks: Final = Table(
    "tasks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("task", String(24), nullable=False),
    Column("subject", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("owner", String(64)),
    Column("claimed_until", UtcTime),
    Column("busy_until", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("waits", Integer, nullable=False, server_default="0"),
    UniqueConstraint("task", "subject"),
    Index(None, "due_at"),
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(120), nullable=False, unique=True),
    Column("change_id", ForeignKey("changes.id"), nullable=False),
    Column("topic", String(32), nullable=False),
    Column("data", JSON, nullable=False),
    Column("channel", String(32), nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("owner", String(64)),
    Column("claimed_until", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("sent_at", UtcTime),
    Column("floor", String(32), nullable=False, server_default=""),
    Column("settled", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("refusal", String(64), nullable=False, server_default=""),
    Column("waiting_since", UtcTime),
    Index(None, "state", "due_at"),
    Index(None, "change_id", "id"),
)

value_exports: Final = Table(
    "value_exports",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("draft", JSON, nullable=False),
    Column("requester", String(32), nullable=False),
    Column("submission", String(160), nullable=False, unique=True),  # as in changes
    Column("created_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("floor", String(32), nullable=False, server_default=""),
    sqlite_autoincrement=True,  # its number is in the name of the file that identifies a sent answer
)

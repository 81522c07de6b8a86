"""Runs, in which we change the numbers of a provider without jobs one by one."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from bot.store.tables.columns import UtcTime, metadata

runs: Final = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("provider", String(32), nullable=False),
    Column("reference", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("over_at", UtcTime),
    Column("due_at", UtcTime, nullable=False),
    Column("owner", String(64)),
    Column("claimed_until", UtcTime),
    Column("busy_until", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("on_stale", String(16), nullable=False, server_default="stop"),
    Column("trace", String(64), nullable=False, server_default=""),
    UniqueConstraint("provider", "reference"),  # submitting a batch again finds its run
    Index(None, "provider", "open", "due_at"),
    sqlite_autoincrement=True,  # a run's id is a job's id, and no two jobs ever share one
)

run_numbers: Final = Table(
    "run_numbers",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("number_id", String(64), nullable=False),
    Column("e164", String(20), nullable=False),
    Column("before", JSON, nullable=False),
    Column("wanted", JSON, nullable=False),
    Column("state", String(24), nullable=False),
    Column("code", String(64), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("pointer", Text, nullable=False, server_default=""),
    Column("rests", Integer, nullable=False, server_default="0"),
)

run_stops: Final = Table(
    "run_stops",
    metadata,
    # Not the run's id: a stop also applies to a run that is about to be written.
    Column("provider", String(32), primary_key=True),
    Column("reference", String(64), primary_key=True),
    Column("code", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

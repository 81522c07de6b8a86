"""State that replicas share: sent secrets, allowances, and turns."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Float, Integer, String, Table

from bot.store.tables.columns import UtcTime, metadata

sent_secrets: Final = Table(
    "sent_secrets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("length", Integer),
    Column("sent_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,  # a reader that has read up to a row continues after it
)

budgets: Final = Table(
    "budgets",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("whole_at", UtcTime, nullable=False),
)

turns: Final = Table(
    "turns",
    metadata,
    Column("budget", String(120), primary_key=True),
    Column("who", String(120), primary_key=True),
    Column("at", UtcTime, nullable=False),
)

rate_windows: Final = Table(
    "rate_windows",
    metadata,
    Column("scope", String(120), primary_key=True),
    # 0 in the row of callers whose limit is not known yet.
    Column("most", Integer, primary_key=True, autoincrement=False),
    Column("span", Float, nullable=False),
    Column("used", Integer, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("closed_until", UtcTime),
)

reporter: Final = Table(
    "reporter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1: the replica that reports
    Column("owner", String(64)),
    Column("claimed_until", UtcTime),
)

"""The tables. A change to them is a new file in ``migrations/versions``; a test compares the two."""

from __future__ import annotations

from bot.store.tables.audit import audit_head, events
from bot.store.tables.changes import batches, changes, decisions, locks, operations, templates
from bot.store.tables.columns import UtcTime, metadata
from bot.store.tables.control import delegations, freezes
from bot.store.tables.queue import outbox, tasks, value_exports
from bot.store.tables.runs import run_numbers, run_stops, runs
from bot.store.tables.shared import budgets, rate_windows, reporter, sent_secrets, turns

__all__ = [
    "UtcTime",
    "audit_head",
    "batches",
    "budgets",
    "changes",
    "decisions",
    "delegations",
    "events",
    "freezes",
    "locks",
    "metadata",
    "operations",
    "outbox",
    "rate_windows",
    "reporter",
    "run_numbers",
    "run_stops",
    "runs",
    "sent_secrets",
    "tasks",
    "templates",
    "turns",
    "value_exports",
]

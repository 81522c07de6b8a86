"""Columns under their usual names."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

#: (table, old name of the column, new name)
COLUMNS = (
    ("changes", "awaits", "waiting_for"),
    ("batches", "looks", "final_polls"),
    ("batches", "asked_at", "escalated_at"),
    ("operations", "settled_at", "ended_at"),
)


def upgrade() -> None:
    """Apply. Events keep the names that they were written with, because the hashes of the audit log are over them."""
    for table, old, new in COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")

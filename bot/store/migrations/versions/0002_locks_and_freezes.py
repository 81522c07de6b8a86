"""Locks on numbers, and freezes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("changes", sa.Column("unusable", sa.JSON(), nullable=True))
    op.add_column("changes", sa.Column("replaced_by", sa.Integer(), nullable=True))
    op.add_column("changes", sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "locks",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("number_id", sa.String(length=64), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name=op.f("fk_locks_change_id_changes")),
        sa.PrimaryKeyConstraint("provider", "number_id", name=op.f("pk_locks")),
    )
    op.create_index(op.f("ix_locks_change_id"), "locks", ["change_id"])
    op.create_table(
        "freezes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.String(length=32), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freezes")),
    )

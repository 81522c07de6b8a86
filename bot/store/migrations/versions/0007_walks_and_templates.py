"""Indexes for lists and for the history of a number, and templates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_changes_state_walk", "changes", ["state", "outcome", "id"])
    op.create_index("ix_changes_requester_walk", "changes", ["requester", "state", "outcome", "id"])
    op.create_index("ix_changes_kind_walk", "changes", ["kind", "state", "outcome", "id"])
    op.create_index(op.f("ix_changes_created_at"), "changes", ["created_at"])
    op.create_index(op.f("ix_operations_e164_change_id"), "operations", ["e164", "change_id"])
    op.create_index(op.f("ix_operations_number_id_change_id"), "operations", ["number_id", "change_id"])
    op.create_table(
        "templates",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=240), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("numbers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("submission", sa.String(length=160), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("key", name=op.f("uq_templates_key")),
        sqlite_autoincrement=True,
    )

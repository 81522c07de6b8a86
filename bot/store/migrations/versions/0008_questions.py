"""Questions to operators, refused slots, and messages that were sent elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("batches", sa.Column("unanswered_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("resent", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("batches", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("doubt", sa.Text(), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("candidates", sa.JSON(), nullable=True))
    op.add_column("batches", sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("slot_refused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("channel", sa.String(length=32), nullable=False, server_default=""))

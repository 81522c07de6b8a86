"""Slack's time before a message may have reached it, and the refusal that a message waits for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("outbox", sa.Column("refusal", sa.String(length=64), nullable=False, server_default=""))
    for table in ("outbox", "inquiries"):
        op.add_column(table, sa.Column("floor", sa.String(length=32), nullable=False, server_default=""))

"""The wave of each batch, replacing the canary flag, and how far a rollout in waves is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply: what follows a canary is its second wave."""
    op.add_column("batches", sa.Column("wave", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("changes", sa.Column("wave", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("changes", sa.Column("paused_for", sa.String(length=16), nullable=True))
    op.add_column("changes", sa.Column("resumes_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE batches SET wave = 2 WHERE NOT canary "
        "AND change_id IN (SELECT other.change_id FROM batches AS other WHERE other.canary)"
    )
    op.execute("UPDATE changes SET wave = 2 WHERE continued_at IS NOT NULL")
    op.execute("UPDATE changes SET paused_for = 'trouble' WHERE state = 'paused'")
    op.drop_column("batches", "canary")

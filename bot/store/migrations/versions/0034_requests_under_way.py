"""Until when a request may be under way, so that nobody takes its work over; and which claims were mere waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("tasks", "runs"):
        op.add_column(table, sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tasks", sa.Column("waits", sa.Integer(), server_default="0", nullable=False))

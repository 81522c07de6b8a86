"""The context of the trace to which a change belongs, and a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("changes", "runs"):
        op.add_column(table, sa.Column("trace", sa.String(length=64), nullable=False, server_default=""))

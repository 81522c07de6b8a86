"""When the numbers of each batch were read again last, and what kept them from being read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("batches", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("check_problem", sa.Text(), nullable=False, server_default=""))

"""What numbers had when they were read back after the jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("operations", sa.Column("found", sa.JSON(), nullable=True))
    op.add_column("operations", sa.Column("found_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("changes", sa.Column("read_backs", sa.Integer(), server_default="0", nullable=False))
    op.add_column("changes", sa.Column("failed_reads", sa.Integer(), server_default="0", nullable=False))
    # A change whose jobs were over is read back before it is concluded, as every other is from now on.
    op.execute("UPDATE work SET task = 'verify', owner = NULL, claimed_until = NULL WHERE task = 'finish'")

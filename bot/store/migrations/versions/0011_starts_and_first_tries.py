"""Start times and first tries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("changes", sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("changes", sa.Column("starts_zone", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("changes", sa.Column("went_on_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("canary", sa.Boolean(), nullable=False, server_default=sa.false()))

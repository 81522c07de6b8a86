"""The stage of an approval, whether a fallback approver gave it, and since when it no longer counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("decisions", sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("decisions", sa.Column("stage", sa.String(length=60), nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("fallback", sa.Boolean(), nullable=False, server_default=sa.false()))

"""Approvals that no longer count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("decisions", sa.Column("lapse", sa.Text(), nullable=False, server_default=""))

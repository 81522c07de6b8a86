"""Since when a stage's people are asked, after a change of the policy has replaced the earlier ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("changes", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))

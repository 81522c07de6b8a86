"""The change whose plan another one revises, and the digest of the plan that was sent back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("changes", sa.Column("revises", sa.Integer(), nullable=True))
    op.add_column("changes", sa.Column("former_digest", sa.String(length=64), nullable=False, server_default=""))

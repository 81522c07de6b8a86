"""Changes that follow others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("changes", sa.Column("follows", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_changes_follows"), "changes", ["follows"])

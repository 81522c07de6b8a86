"""When a temporary change ends, and the temporary change that another one is a part of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("changes", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("changes", sa.Column("ends_zone", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("changes", sa.Column("part_of", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_changes_part_of"), "changes", ["part_of"])

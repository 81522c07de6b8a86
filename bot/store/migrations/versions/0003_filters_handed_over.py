"""Filters that are handed to the provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("batches", sa.Column("handed", sa.JSON(none_as_null=True), nullable=True))

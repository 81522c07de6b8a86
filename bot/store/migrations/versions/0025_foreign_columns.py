"""Unknown columns of a sheet, which the requester may leave out with one click."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("changes", sa.Column("foreign_columns", sa.JSON(), nullable=True))

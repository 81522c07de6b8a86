"""The provider's own time at attempts to send a batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What was sent before has none: its job is looked for however long ago it was made."""
    op.add_column("batches", sa.Column("attempted_there", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("unanswered_there", sa.DateTime(timezone=True), nullable=True))

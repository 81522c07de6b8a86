"""How many attempts to deliver a message are over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What an earlier version left has been given its time meanwhile, or is given it once."""
    op.add_column("outbox", sa.Column("settled", sa.Integer(), nullable=False, server_default="0"))

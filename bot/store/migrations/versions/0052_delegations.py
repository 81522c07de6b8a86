"""Lent rights to approve, and the lender of the right used for a decision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "delegations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("delegator", sa.String(length=32), nullable=False),
        sa.Column("delegate", sa.String(length=32), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_zone", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=32), nullable=False, server_default=""),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("told", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("floor", sa.String(length=32), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_delegations_delegate_ended_at"), "delegations", ["delegate", "ended_at"])
    op.create_index(op.f("ix_delegations_delegator_ended_at"), "delegations", ["delegator", "ended_at"])
    op.add_column("decisions", sa.Column("on_behalf_of", sa.String(length=32), nullable=False, server_default=""))

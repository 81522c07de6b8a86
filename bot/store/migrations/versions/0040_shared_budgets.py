"""Allowances that all replicas share: turns in a steady pace, and providers' windows of so many calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "budgets",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_budgets")),
    )
    op.create_table(
        "turns",
        sa.Column("budget", sa.String(120), nullable=False),
        sa.Column("who", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("budget", "who", name=op.f("pk_turns")),
    )
    op.create_table(
        "rate_windows",
        sa.Column("scope", sa.String(120), nullable=False),
        sa.Column("most", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("span", sa.Float(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("scope", "most", name=op.f("pk_rate_windows")),
    )

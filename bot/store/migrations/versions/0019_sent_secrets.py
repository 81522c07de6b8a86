"""Fingerprints of sent secrets, so that they are recognised in a provider's answers after they were wiped."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from bot.store.tables import UtcTime

revision = "0019"
down_revision = "0013"
branch_labels = None
depends_on = None

batches = sa.table("batches", sa.column("values", sa.JSON))


def upgrade() -> None:
    """Apply; earlier secrets have a fingerprint in their batch, but their length is no longer known."""
    table = op.create_table(
        "sent_secrets",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("length", sa.Integer(), nullable=True),
        sa.Column("sent_at", UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_secrets")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_sent_secrets_fingerprint")),
        sqlite_autoincrement=True,
    )
    sealed = sa.select(batches.c["values"]).where(sa.cast(batches.c["values"], sa.Text).contains("$fingerprint"))
    found = {
        value["$fingerprint"]
        for (values,) in op.get_bind().execute(sealed)
        for value in values.values()
        if isinstance(value, dict) and "$fingerprint" in value
    }
    if found:
        now = datetime.now(UTC)
        op.bulk_insert(table, [{"fingerprint": each, "length": None, "sent_at": now} for each in sorted(found)])

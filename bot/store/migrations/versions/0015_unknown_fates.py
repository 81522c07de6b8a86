"""Numbers with an unknown outcome, and values that a read-back compares and waits for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None

#: The codes with which such numbers failed before.
_UNCERTAIN = ("linesman.not_reported", "linesman.contradictory", "linesman.given_up")


def upgrade() -> None:
    """Apply."""
    op.add_column("changes", sa.Column("verifying_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("changes", sa.Column("awaits", sa.Text(), nullable=False, server_default=""))
    op.add_column("operations", sa.Column("beside", sa.JSON(), nullable=True))
    # Such numbers of unfinished changes are read back; reported results of finished ones stay.
    operations = sa.table("operations", sa.column("change_id"), sa.column("state"), sa.column("code"))
    changes = sa.table("changes", sa.column("id"), sa.column("state"))
    at_work = sa.select(changes.c.id).where(changes.c.state.in_(("running", "verifying")))
    op.execute(
        operations.update()
        .where(
            operations.c.state == "failed",
            operations.c.code.in_(_UNCERTAIN),
            operations.c.change_id.in_(at_work),
        )
        .values(state="unknown")
    )

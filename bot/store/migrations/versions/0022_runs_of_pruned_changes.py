"""Runs, their numbers and their stops go with their change; those of changes that were pruned before have stayed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    changes = sa.table("changes", sa.column("id"), sa.column("pruned_at"))
    runs = sa.table("runs", sa.column("id"), sa.column("reference"))
    numbers = sa.table("run_numbers", sa.column("run_id"))
    stops = sa.table("run_stops", sa.column("reference"))
    for change in (
        op.get_bind().execute(sa.select(changes.c.id).where(changes.c.pruned_at.is_not(None))).scalars().all()
    ):
        left = sa.select(runs.c.id).where(runs.c.reference.like(f"{change}/%"))
        op.execute(numbers.delete().where(numbers.c.run_id.in_(left)))
        op.execute(runs.delete().where(runs.c.reference.like(f"{change}/%")))
        op.execute(stops.delete().where(stops.c.reference.like(f"{change}/%")))

"""The audit trail becomes a chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.changes.records import Event
from bot.changes.trail import GENESIS, link
from bot.store.tables import UtcTime

revision = "0030"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Rows that are read and written at once.
PORTION = 1000

events = sa.table(
    "events",
    sa.column("id", sa.Integer),
    sa.column("change_id", sa.Integer),
    sa.column("at", UtcTime),
    sa.column("actor", sa.String),
    sa.column("what", sa.String),
    sa.column("digest", sa.String),
    sa.column("details", sa.JSON),
    sa.column("hash", sa.String),
)


def upgrade() -> None:
    """Apply."""
    op.add_column("events", sa.Column("hash", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_events_actor_what_at"), "events", ["actor", "what", "at"])
    last, newest = _chain(op.get_bind())
    with op.batch_alter_table("events", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.alter_column("hash", existing_type=sa.String(length=64), nullable=False)
    trail = op.create_table(
        "trail",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trail")),
    )
    op.bulk_insert(trail, [{"id": 1, "last": last, "hash": newest}])


def _chain(connection: sa.Connection) -> tuple[int, str]:
    """Link the events that are there, in portions; return the id and the hash of the last one.

    The rule is the domain's own, not a copy: the chain is proven by that rule from the first event on.
    """
    last, newest = 0, GENESIS
    statement = sa.select(events).where(events.c.id > sa.bindparam("after")).order_by(events.c.id).limit(PORTION)
    fill = sa.update(events).where(events.c.id == sa.bindparam("which")).values(hash=sa.bindparam("linked"))
    while rows := connection.execute(statement, {"after": last}).all():
        linked = []
        for row in rows:
            event = Event(
                id=row.id,
                change=row.change_id,
                at=row.at,
                actor=row.actor,
                what=row.what,
                digest=row.digest,
                details=row.details,
            )
            last, newest = row.id, link(newest, event)
            linked.append({"which": last, "linked": newest})
        connection.execute(fill, linked)
    return last, newest

"""The audit log becomes a chain, changes can be pruned, and secrets that are no longer needed are wiped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.changes.audit.events import GENESIS, Event, link
from bot.changes.model.values import without_sealed
from bot.store.tables import UtcTime

revision = "0006"
down_revision = "0005"
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
changes = sa.table(
    "changes",
    sa.column("id", sa.Integer),
    sa.column("state", sa.String),
    sa.column("draft", sa.JSON),
    sa.column("summary", sa.JSON),
)
batches = sa.table(
    "batches",
    sa.column("id", sa.Integer),
    sa.column("change_id", sa.Integer),
    sa.column("state", sa.String),
    sa.column("values", sa.JSON),
)
operations = sa.table(
    "operations",
    sa.column("change_id", sa.Integer),
    sa.column("position", sa.Integer),
    sa.column("before", sa.JSON),
    sa.column("after", sa.JSON),
)
#: States in which a draft's secrets are still needed, and those in which a batch's are.
DRAFTED = ("planning", "planned")
UNSENT = ("queued", "submitting", "unknown")
OVER = ("finished", "discarded", "rejected", "expired", "cancelled", "stale")


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
    op.add_column("changes", sa.Column("kept", sa.JSON(), nullable=True))
    op.add_column("changes", sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_changes_pruned_at_finished_at"), "changes", ["pruned_at", "finished_at"])
    op.bulk_insert(trail, [{"id": 1, "last": last, "hash": newest}])
    _wipe(op.get_bind())


def _wipe(connection: sa.Connection) -> None:
    """Wipe the secrets that this version would have wiped."""
    for change, state in connection.execute(sa.select(changes.c.id, changes.c.state)).all():
        here = changes.c.id == change
        if state not in DRAFTED:
            _wipe_column(connection, changes, changes.c.draft, here, changes.c.id)
        _wipe_column(connection, changes, changes.c.summary, here, changes.c.id)
        for column in (operations.c.before, operations.c.after):
            of_change = operations.c.change_id == change
            _wipe_column(connection, operations, column, of_change, operations.c.change_id, operations.c.position)
        settled = batches.c.state.not_in(UNSENT) if state not in OVER else sa.true()
        ours = sa.and_(batches.c.change_id == change, settled)
        _wipe_column(connection, batches, batches.c["values"], ours, batches.c.id)


def _wipe_column(
    connection: sa.Connection,
    table: sa.TableClause,
    column: sa.ColumnElement[object],
    where: sa.ColumnElement[bool],
    *key: sa.ColumnElement[int],
) -> None:
    sealed = sa.cast(column, sa.Text).like('%"$sealed"%')
    for *at, stored in connection.execute(sa.select(*key, column).where(where, sealed)).all():
        row = sa.and_(*(part == value for part, value in zip(key, at, strict=True)))
        connection.execute(sa.update(table).where(row).values({column: without_sealed(stored)}))


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

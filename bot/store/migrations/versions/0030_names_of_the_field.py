"""Tables, columns and tasks under their usual names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.tables import UtcTime

revision = "0030"
down_revision = "0025"
branch_labels = None
depends_on = None

#: Old name of a task -> new name.
TASKS = {"search": "reconcile", "attend": "escalate", "inquire": "export_values"}
#: (table, old name of the column, new name)
COLUMNS = (("changes", "went_on_at", "continued_at"), ("batches", "moved_at", "progressed_at"))


def upgrade() -> None:
    """Apply.

    Tables are made again and filled, because SQLite cannot rename constraints; nothing refers to them.
    """
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("task", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("claimed_until", UtcTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("task", "subject", name=op.f("uq_tasks_task_subject")),
    )
    op.create_table(
        "value_exports",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("requester", sa.String(length=32), nullable=False),
        sa.Column("submission", sa.String(length=160), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.Column("finished_at", UtcTime(timezone=True), nullable=True),
        sa.Column("floor", sa.String(length=32), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_value_exports")),
        sa.UniqueConstraint("submission", name=op.f("uq_value_exports_submission")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    _fill("work", "tasks", "id, task, subject, due_at, owner, claimed_until, attempts")
    _fill("inquiries", "value_exports", "id, draft, requester, submission, created_at, finished_at, floor")
    _fill("trail", "audit_head", "id, last, hash")
    op.create_index(op.f("ix_tasks_due_at"), "tasks", ["due_at"])
    for before, now in TASKS.items():
        op.execute(sa.text("UPDATE tasks SET task = :now WHERE task = :before").bindparams(now=now, before=before))
    for table, old, new in COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def _fill(source: str, target: str, columns: str) -> None:
    """Move all rows of ``source`` to ``target``, and let new ids follow the highest that was ever given."""
    op.execute(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {source}")  # noqa: S608 - the names above
    if op.get_bind().dialect.name == "postgresql":
        if target != "audit_head":
            given = f"(SELECT last_value FROM {source}_id_seq), (SELECT is_called FROM {source}_id_seq)"  # noqa: S608 - the same
            op.execute(f"SELECT setval(pg_get_serial_sequence('{target}', 'id'), {given})")
    elif target == "value_exports":
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'value_exports'")
        op.execute("UPDATE sqlite_sequence SET name = 'value_exports' WHERE name = 'inquiries'")
    op.drop_table(source)

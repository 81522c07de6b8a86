"""The tables. A change to them is a new file in ``migrations/versions``; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite has no time zones of its own, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse naive times and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a time without a zone cannot be stored"
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

changes: Final = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(64), nullable=False),
    Column("state", String(24), nullable=False),
    Column("outcome", String(24)),
    Column("requester", String(32), nullable=False),
    Column("origin", String(32), nullable=False, server_default=""),
    Column("view", String(64), nullable=False, server_default=""),
    Column("submission", String(160), unique=True),  # names one press of a modal's button; Slack may deliver it twice
    Column("draft", JSON, nullable=False),
    Column("summary", JSON),
    Column("digest", String(64), nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
    Column("unusable", JSON),
    Column("foreign_columns", JSON),
    Column("replaced_by", Integer),
    Column("follows", Integer, index=True),
    Column("stopped_at", UtcTime),
    Column("approvals_required", Integer, nullable=False, server_default="1"),
    Column("rule", String(120), nullable=False, server_default=""),
    Column("card_channel", String(32), nullable=False, server_default=""),
    Column("card_ts", String(32), nullable=False, server_default=""),
    Column("approval_card_channel", String(32), nullable=False, server_default=""),
    Column("approval_card_ts", String(32), nullable=False, server_default=""),
    Column("created_at", UtcTime, nullable=False),
    Column("requested_at", UtcTime),
    Column("asked_at", UtcTime),
    Column("expires_at", UtcTime),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("read_backs", Integer, nullable=False, server_default="0"),
    Column("failed_reads", Integer, nullable=False, server_default="0"),
    Column("verifying_at", UtcTime),
    Column("waiting_for", Text, nullable=False, server_default=""),
    Column("kept", JSON),
    Column("pruned_at", UtcTime),
    Column("starts_at", UtcTime),
    Column("starts_zone", String(64), nullable=False, server_default=""),
    Column("wave", Integer, nullable=False, server_default="1"),
    Column("continued_at", UtcTime),
    Column("paused_for", String(16)),
    Column("resumes_at", UtcTime),
    Column("ends_at", UtcTime),
    Column("ends_zone", String(64), nullable=False, server_default=""),
    Column("part_of", Integer, index=True),
    Column("revises", Integer),
    Column("former_digest", String(64), nullable=False, server_default=""),
    Column("trace", String(64), nullable=False, server_default=""),
    Index(None, "state"),
    Index(None, "pruned_at", "finished_at"),
    Index(None, "requester", "id"),
    # Each of these is a list's short walk from a cursor on, whatever is asked for.
    Index("ix_changes_state_walk", "state", "outcome", "id"),
    Index("ix_changes_requester_walk", "requester", "state", "outcome", "id"),
    Index("ix_changes_kind_walk", "kind", "state", "outcome", "id"),
    Index(None, "created_at"),
    sqlite_autoincrement=True,  # a public id is never given twice, not even after a row was pruned
)

batches: Final = Table(
    "batches",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("change_id", ForeignKey("changes.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("state", String(24), nullable=False),
    Column("size", Integer, nullable=False),
    Column("values", JSON, nullable=False),
    Column("handed", JSON(none_as_null=True)),
    Column("wave", Integer, nullable=False, server_default="1"),
    Column("job", String(64)),
    Column("attempted_at", UtcTime),
    Column("attempted_there", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("submitted_at", UtcTime),
    Column("settled_at", UtcTime),
    Column("done_by", UtcTime),
    Column("job_state", String(32), nullable=False, server_default=""),
    Column("polls", Integer, nullable=False, server_default="0"),
    Column("final_polls", Integer, nullable=False, server_default="0"),
    Column("absences", Integer, nullable=False, server_default="0"),
    Column("unanswered_since", UtcTime),
    Column("unanswered_there", UtcTime),
    Column("resent", Integer, nullable=False, server_default="0"),
    Column("escalated_at", UtcTime),
    Column("doubt", Text, nullable=False, server_default=""),
    Column("candidates", JSON),
    Column("progressed_at", UtcTime),
    Column("overdue_at", UtcTime),
    Column("slot_refused_at", UtcTime),
    Column("checked_at", UtcTime),
    Column("check_problem", Text, nullable=False, server_default=""),
    UniqueConstraint("change_id", "position"),
    UniqueConstraint("kind", "job"),  # a job is never adopted by two batches
    Index(None, "kind", "state"),
)

operations: Final = Table(
    "operations",
    metadata,
    Column("change_id", ForeignKey("changes.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("batch", Integer),
    Column("number_id", String(64), nullable=False),
    Column("e164", String(20), nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("beside", JSON(none_as_null=True)),
    Column("state", String(24), nullable=False),
    Column("code", String(64), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("pointer", Text, nullable=False, server_default=""),
    Column("ended_at", UtcTime),
    Column("found", JSON),
    Column("found_at", UtcTime),
    Index(None, "change_id", "state"),
    Index(None, "change_id", "batch"),
    Index(None, "e164", "change_id"),
    Index(None, "number_id", "change_id"),
)

decisions: Final = Table(
    "decisions",
    metadata,
    Column("change_id", ForeignKey("changes.id"), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("verb", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("rule", String(120), nullable=False, server_default=""),
    Column("at", UtcTime, nullable=False),
    Column("lapse", Text, nullable=False, server_default=""),  # why it does not count any more
    Column("lapsed_at", UtcTime),
    Column("stage", String(60), nullable=False, server_default=""),  # in which an approval counts
    Column("fallback", Boolean, nullable=False, server_default=false()),  # given because others had not for a while
    Column("on_behalf_of", String(32), nullable=False, server_default=""),  # whose right it was, if it was lent
)

delegations: Final = Table(
    "delegations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("delegator", String(32), nullable=False),
    Column("delegate", String(32), nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("ends_zone", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", String(32), nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("told", Integer, nullable=False, server_default="0"),
    Column("floor", String(32), nullable=False, server_default=""),
    Index(None, "delegate", "ended_at"),
    Index(None, "delegator", "ended_at"),
    sqlite_autoincrement=True,  # a button of one that was pruned never ends another one
)

tasks: Final = Table(
    "tasks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("task", String(24), nullable=False),
    Column("subject", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("owner", String(64)),
    Column("claimed_until", UtcTime),
    Column("busy_until", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("waits", Integer, nullable=False, server_default="0"),
    UniqueConstraint("task", "subject"),
    Index(None, "due_at"),
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(120), nullable=False, unique=True),
    Column("change_id", ForeignKey("changes.id"), nullable=False),
    Column("topic", String(32), nullable=False),
    Column("data", JSON, nullable=False),
    Column("channel", String(32), nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("owner", String(64)),
    Column("claimed_until", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("sent_at", UtcTime),
    Column("floor", String(32), nullable=False, server_default=""),
    Column("settled", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("refusal", String(64), nullable=False, server_default=""),
    Column("waiting_since", UtcTime),
    Index(None, "state", "due_at"),
    Index(None, "change_id", "id"),
)

templates: Final = Table(
    "templates",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(80), nullable=False),
    Column("key", String(240), nullable=False, unique=True),  # the name without regard to case, which may grow by it
    Column("version", Integer, nullable=False, server_default="1"),
    Column("owner", String(32), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("draft", JSON, nullable=False),
    Column("left_out", JSON, nullable=False),
    Column("numbers", Integer, nullable=False, server_default="0"),
    Column("submission", String(160), nullable=False),  # names the press of the button that saved it
    Column("saved_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,  # a button of a deleted template never means another one
)

value_exports: Final = Table(
    "value_exports",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("draft", JSON, nullable=False),
    Column("requester", String(32), nullable=False),
    Column("submission", String(160), nullable=False, unique=True),  # as of changes
    Column("created_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("floor", String(32), nullable=False, server_default=""),
    sqlite_autoincrement=True,  # its number is in the name of the file by which an answer is found again
)

locks: Final = Table(
    "locks",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("number_id", String(64), primary_key=True),
    Column("change_id", ForeignKey("changes.id"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
)

freezes: Final = Table(
    "freezes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("by", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("lifted_by", String(32)),
    Column("lifted_at", UtcTime),
)
runs: Final = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("provider", String(32), nullable=False),
    Column("reference", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("over_at", UtcTime),
    Column("due_at", UtcTime, nullable=False),
    Column("owner", String(64)),
    Column("claimed_until", UtcTime),
    Column("busy_until", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("on_stale", String(16), nullable=False, server_default="stop"),
    Column("trace", String(64), nullable=False, server_default=""),
    UniqueConstraint("provider", "reference"),  # submitting a batch again finds its run
    Index(None, "provider", "open", "due_at"),
    sqlite_autoincrement=True,  # a run's id is a job's id, and no two jobs ever share one
)

run_numbers: Final = Table(
    "run_numbers",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("number_id", String(64), nullable=False),
    Column("e164", String(20), nullable=False),
    Column("before", JSON, nullable=False),
    Column("wanted", JSON, nullable=False),
    Column("state", String(24), nullable=False),
    Column("code", String(64), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("pointer", Text, nullable=False, server_default=""),
    Column("rests", Integer, nullable=False, server_default="0"),
)

run_stops: Final = Table(
    "run_stops",
    metadata,
    # Not the run's id: what is stopped while its run is about to be written is stopped all the same.
    Column("provider", String(32), primary_key=True),
    Column("reference", String(64), primary_key=True),
    Column("code", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

sent_secrets: Final = Table(
    "sent_secrets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("length", Integer),
    Column("sent_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,  # who has read up to a row reads on after it
)

budgets: Final = Table(
    "budgets",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("whole_at", UtcTime, nullable=False),
)

turns: Final = Table(
    "turns",
    metadata,
    Column("budget", String(120), primary_key=True),
    Column("who", String(120), primary_key=True),
    Column("at", UtcTime, nullable=False),
)

rate_windows: Final = Table(
    "rate_windows",
    metadata,
    Column("scope", String(120), primary_key=True),
    # 0 in the row of those whose limit is not known yet.
    Column("most", Integer, primary_key=True, autoincrement=False),
    Column("span", Float, nullable=False),
    Column("used", Integer, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("closed_until", UtcTime),
)

events: Final = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("change_id", ForeignKey("changes.id")),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(32), nullable=False),
    Column("what", String(48), nullable=False),
    Column("digest", String(64), nullable=False, server_default=""),
    Column("details", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "change_id", "id"),
    Index(None, "actor", "what", "at"),
    sqlite_autoincrement=True,  # the audit log's order is its ids; none is ever reused
)

reporter: Final = Table(
    "reporter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1: who reports
    Column("owner", String(64)),
    Column("claimed_until", UtcTime),
)

audit_head: Final = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1: the head
    Column("last", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

"""Changes: their batches and numbers, decisions on them, locks, and templates."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, false

from bot.store.tables.columns import UtcTime, metadata

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
    Column("submission", String(160), unique=True),  # one press of a button, which Slack may deliver twice
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
    # Each of these makes any list a short walk from a cursor on.
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
    Column("lapse", Text, nullable=False, server_default=""),  # why it no longer counts
    Column("lapsed_at", UtcTime),
    Column("stage", String(60), nullable=False, server_default=""),  # the stage in which an approval counts
    Column("fallback", Boolean, nullable=False, server_default=false()),  # given because others had waited too long
    Column("on_behalf_of", String(32), nullable=False, server_default=""),  # the lender of the right
)

locks: Final = Table(
    "locks",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("number_id", String(64), primary_key=True),
    Column("change_id", ForeignKey("changes.id"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
)

templates: Final = Table(
    "templates",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(80), nullable=False),
    Column("key", String(240), nullable=False, unique=True),  # the name without regard to case, which may lengthen it
    Column("version", Integer, nullable=False, server_default="1"),
    Column("owner", String(32), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("draft", JSON, nullable=False),
    Column("left_out", JSON, nullable=False),
    Column("numbers", Integer, nullable=False, server_default="0"),
    Column("submission", String(160), nullable=False),  # identifies the press of the button that saved it
    Column("saved_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,  # a button of a deleted template never means another one
)

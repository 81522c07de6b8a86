"""Rows of changes as they are read, and their columns as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from bot.changes.model.batches import Tally
from bot.changes.model.change import Change
from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.changes.model.messages import MessageRef
from bot.changes.model.rollout import PauseReason
from bot.changes.model.start import End, Start
from bot.changes.model.summary import Summary
from bot.store.records.documents import draft_from_json, draft_to_json, summary_from_json, summary_to_json


def to_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of a change as its row has them, by column."""
    plain: dict[str, Any] = {}
    for name, value in columns.items():
        match value:
            case Summary():
                plain[name] = summary_to_json(value)
            case Draft():
                plain[name] = draft_to_json(value)
            case Tally():
                plain[name] = asdict(value)
            case Outcome() | PauseReason():
                plain[name] = value.value
            case End():
                plain["ends_at"], plain["ends_zone"] = value.at, value.zone
            case Start():
                plain["starts_at"], plain["starts_zone"] = value.at, value.zone
            case None if name in {"start", "until"}:
                continue
            case MessageRef():
                plain[f"{name}_channel"], plain[f"{name}_ts"] = value.channel, value.ts
            case _:
                plain[name] = value
    return plain


def to_change(row: Row[Any]) -> Change:
    """Return the change that a row is."""
    return Change(
        id=row.id,
        kind=row.kind,
        state=ChangeState(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        requester=row.requester,
        draft=draft_from_json(row.draft),
        origin=row.origin,
        view=row.view,
        summary=summary_from_json(row.summary) if row.summary else None,
        digest=row.digest,
        problem=row.problem,
        # Former versions stored the names alone.
        unusable=tuple((names,) if isinstance(names, str) else tuple(names) for names in row.unusable or ()),
        foreign=tuple(row.foreign_columns or ()),
        replaced_by=row.replaced_by,
        stopped_at=row.stopped_at,
        approvals_required=row.approvals_required,
        rule=row.rule,
        card=MessageRef(channel=row.card_channel, ts=row.card_ts),
        approval_card=MessageRef(channel=row.approval_card_channel, ts=row.approval_card_ts),
        created_at=row.created_at,
        requested_at=row.requested_at,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        read_backs=row.read_backs,
        failed_reads=row.failed_reads,
        verifying_at=row.verifying_at,
        waiting_for=row.waiting_for,
        kept=Tally(**row.kept) if row.kept else None,
        pruned_at=row.pruned_at,
        wave=row.wave,
        continued_at=row.continued_at,
        paused_for=PauseReason(row.paused_for) if row.paused_for else None,
        resumes_at=row.resumes_at,
        start=Start(at=row.starts_at, zone=row.starts_zone) if row.starts_at else None,
        until=End(at=row.ends_at, zone=row.ends_zone) if row.ends_at else None,
        part_of=row.part_of,
        revises=row.revises,
        former_digest=row.former_digest,
    )

"""The record of a change, as the store keeps it and everybody else reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.changes.model.batches import Tally
from bot.changes.model.draft import Draft, FollowUp
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.changes.model.messages import MessageRef
from bot.changes.model.public_ids import public_id
from bot.changes.model.rollout import PauseReason
from bot.changes.model.start import End, Start
from bot.changes.model.summary import Summary


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One request to give many numbers new settings."""

    id: int
    kind: str
    state: ChangeState
    outcome: Outcome | None
    #: Slack user id.
    requester: str
    draft: Draft
    #: The channel of the command; the card goes there if the bot may post there.
    origin: str
    #: Slack view that waits for the plan; empty without one.
    view: str
    summary: Summary | None
    digest: str
    #: What stopped it, for people; empty when nothing did.
    problem: str
    #: Numbers that the plan cannot include and that one click leaves out, each by all its names.
    unusable: tuple[tuple[str, ...], ...]
    #: Headings of unknown columns in the sheet, which one click leaves out.
    foreign: tuple[str, ...]
    #: The change that replaced this one; None without one.
    replaced_by: int | None
    #: Since when nothing more of a running change is sent; None when it was not stopped.
    stopped_at: datetime | None
    approvals_required: int
    #: The policy rule that governs it.
    rule: str
    card: MessageRef
    approval_card: MessageRef
    created_at: datetime
    requested_at: datetime | None
    #: When an undecided request expires.
    expires_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    #: How often the numbers have been read back after the jobs.
    read_backs: int = 0
    #: How many read-backs in a row have failed.
    failed_reads: int = 0
    #: Since when its numbers are being read back, or when the last read-back began.
    verifying_at: datetime | None = None
    #: What the read-back waits for, for people; empty when it waits only for its turn.
    waiting_for: str = ""
    #: Final counts, kept when the numbers are pruned; None before.
    kept: Tally | None = None
    #: When the last of its numbers was pruned.
    pruned_at: datetime | None = None
    #: When it is to start; None for as soon as possible, and before there is a plan.
    start: Start | None = None
    #: The wave that was released last, from 1; later waves are held back.
    wave: int = 1
    #: When that wave was released, if it is not the first; None otherwise.
    continued_at: datetime | None = None
    #: Why it is paused, and when it continues by itself; None when it is not paused, or waits for somebody.
    paused_for: PauseReason | None = None
    resumes_at: datetime | None = None
    #: When a temporary change ends; None for a lasting one, and before there is a plan.
    until: End | None = None
    #: The temporary change that this one is a part of, whose locks, card, thread and approval it shares. None for an
    #: independent change.
    part_of: int | None = None
    #: The change that this one is a new plan for, after changes to its plan were requested; None for an independent
    #: change. Once approval of the new plan is requested, that change takes it over, and this one is over.
    revises: int | None = None
    #: The digest of the plan that its own replaced, or will replace; empty for a first plan.
    former_digest: str = ""
    #: Since when its stages apply, where the policy changed while it waited; None where it did not.
    asked_at: datetime | None = None

    @property
    def waits_since(self) -> datetime | None:
        """Since when it waits for approval under the current stages of its rule; None before the request."""
        return self.asked_at or self.requested_at

    @property
    def restores(self) -> bool:
        """Whether it is the restore of a temporary change."""
        return self.draft.base is not None and self.draft.base.what is FollowUp.RESTORE

    @property
    def public_id(self) -> str:
        """``CHG-42``."""
        return public_id(self.id)

    @property
    def size(self) -> int:
        """Most numbers that it can have; 0 while there is no plan."""
        return self.summary.size if self.summary else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all settings that it is about; none while there is no plan."""
        return self.summary.names if self.summary else ()

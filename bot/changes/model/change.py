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
    #: Where the command was given; the card goes there when the bot may post there.
    origin: str
    #: Slack view that waits for the plan; empty when there is none.
    view: str
    summary: Summary | None
    digest: str
    #: What stopped it, for people; empty when nothing did.
    problem: str
    #: Numbers that stood in the plan's way and can be left out with one click, each by all its names.
    unusable: tuple[tuple[str, ...], ...]
    #: Headings of the sheet's columns that are not known and can be left out with one click.
    foreign: tuple[str, ...]
    #: The change that took this one's place; None when none did.
    replaced_by: int | None
    #: Since when nothing more of a running change is sent; None when it was not cancelled.
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
    #: How many attempts to read them back have failed since one succeeded.
    failed_reads: int = 0
    #: Since when its numbers are being read back, or were last.
    verifying_at: datetime | None = None
    #: What the read-back waits for, for people; empty when it waits for nothing but its turn.
    waiting_for: str = ""
    #: How its numbers ended, once it is so old that they are pruned one by one; None while they are all there.
    kept: Tally | None = None
    #: When the last of its numbers was pruned.
    pruned_at: datetime | None = None
    #: When it is to start; None for as soon as it may, and before there is a plan.
    start: Start | None = None
    #: The wave that was let go last, from 1; what is in later ones is held back.
    wave: int = 1
    #: When it was, if it is not the first one; None otherwise.
    continued_at: datetime | None = None
    #: Why it is paused, and when it goes on by itself; None when it is not, or when somebody has to say so.
    paused_for: PauseReason | None = None
    resumes_at: datetime | None = None
    #: When a temporary change ends; None for one that lasts, and before there is a plan.
    until: End | None = None
    #: The temporary change of which this one is a part: it has that one's locks, card and thread, and its approval.
    #: None for a change of its own.
    part_of: int | None = None
    #: The change that this one is a new plan for, since changes to its plan were requested; None for a change of its
    #: own. Once approval of the new plan is requested, that change has it, and this one is over.
    revises: int | None = None
    #: The digest of the plan in whose place its own came, or is to come; empty for a first plan.
    former_digest: str = ""
    #: Since when its stages are what they are, where the policy changed while it waited; None where it did not.
    asked_at: datetime | None = None

    @property
    def waits_since(self) -> datetime | None:
        """Since when approval of it is waited for, under the stages that its rule has; None before it is requested."""
        return self.asked_at or self.requested_at

    @property
    def restores(self) -> bool:
        """Whether it is the part of a temporary change that restores its numbers."""
        return self.draft.base is not None and self.draft.base.what is FollowUp.RESTORE

    @property
    def public_id(self) -> str:
        """``CHG-42``."""
        return public_id(self.id)

    @property
    def size(self) -> int:
        """How many numbers it is about at most; 0 while there is no plan."""
        return self.summary.size if self.summary else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all settings that it is about; none while there is no plan."""
        return self.summary.names if self.summary else ()

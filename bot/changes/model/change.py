"""The records of a change, as the store keeps them and everybody else reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from bot.changes.model.batches import Tally
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.changes.model.locks import Held
from bot.changes.model.rollout import PauseReason, Rollout
from bot.changes.model.start import End, Start
from bot.changes.model.values import EditMode, Secret, Value, Values, Wishes

#: What stands before the number of a change wherever a person reads it.
PREFIX = "CHG-"
_QUOTES: Final = "`*_\"'\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb("
_DASHES: Final = "\\-_\u2010-\u2015\u2212"
#: An id as people type and paste it: any dash, blanks, quotation marks, a full stop behind it.
_WRITTEN: Final = re.compile(
    rf"[\s{_QUOTES}]*(?:{PREFIX.rstrip('-')}[\s{_DASHES}]*)?#?([0-9]{{1,11}})(?!\d)[{_QUOTES}.,;:!?)]*(?:\s+(.*)|$)",
    re.IGNORECASE | re.DOTALL,
)


def public_id(change: int) -> str:
    """Return the id that people use: ``CHG-42``."""
    return f"{PREFIX}{change}"


def read_public_id(text: str) -> int | None:
    """Return the number of ``CHG-42``, ``chg 42``, ``“CHG-42”.``, ``#42`` or ``42``; None when it is none of these."""
    change, rest = named_first(text)
    return None if rest else change


def named_first(text: str) -> tuple[int | None, str]:
    """Return the number of the change that ``text`` begins with, None when it begins with none, and what follows."""
    found = _WRITTEN.match(text)
    return (int(found[1]), (found[2] or "").strip()) if found else (None, text.strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that somebody uploaded to Slack. Its content stays there and is fetched when it is needed."""

    #: Slack's id of the file. A file never changes under its id.
    id: str
    name: str


class FollowUp(Enum):
    """In which way a change stands on an earlier one."""

    RETRY = "retry"  #: gives the same to the numbers that did not get it
    UNDO = "undo"  #: gives back what the changed numbers had before
    EXTEND = "extend"  #: asks for a later end of a temporary change, of which it is a part
    RESTORE = "restore"  #: the same, at the end of a temporary change; it is part of that change


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """The earlier change that a change stands on; its numbers are meant, with values of their own."""

    change: int
    what: FollowUp


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What a person typed into the form, exactly; kept so that nothing typed is ever lost."""

    kind: str
    #: The number boxes, as typed.
    pasted: tuple[str, ...] = ()
    #: Names of the settings chosen for change.
    chosen: tuple[str, ...] = ()
    #: Setting name -> what was typed or picked; secrets are sealed before they get here.
    typed: Mapping[str, Value] = field(default_factory=dict)
    #: Setting name -> what the picked id was called, to show the form again as it was.
    picked: Mapping[str, str] = field(default_factory=dict)
    #: Setting name -> what the typed entries do to a list, where they do not replace it.
    ways: Mapping[str, EditMode] = field(default_factory=dict)
    #: The sheet that was uploaded; None when there is none.
    sheet: Upload | None = None
    #: The change that this one stands on; None when it stands on none.
    base: Base | None = None
    reason: str = ""
    #: Filter, as ``name`` or ``name[operator]`` -> what was typed or picked. A chosen one stays here when it is blank.
    filters: Mapping[str, str] = field(default_factory=dict)
    #: Numbers that the change is not to touch, as typed.
    excluded: str = ""
    #: Numbers and ids that the requester chose to leave out with one click, after seeing why they cannot be changed.
    left_out: tuple[str, ...] = ()
    #: Headings of the sheet's columns that are not known, which the requester chose to leave out after seeing them.
    columns_left_out: tuple[str, ...] = ()
    #: When it is to start, as typed; empty for as soon as it may.
    start: str = ""
    #: The requester's time zone when they typed that; empty where neither start nor end was typed.
    zone: str = ""
    #: The canary, or the waves, as typed; empty for all numbers together.
    canary: str = ""
    #: What comes between two waves, and how much of one may go wrong before it pauses, as typed.
    pause: str = ""
    threshold: str = ""
    #: When each number is to get back what it has now, as typed, in the same zone; empty for never.
    until: str = ""

    @property
    def holds_secrets(self) -> bool:
        """Whether a secret rests in it that can still be opened."""
        return any(isinstance(value, Secret) and value.sealed for value in self.typed.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRef:
    """Where a message is: channel id and, once posted, its ts."""

    channel: str = ""
    ts: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The figures of a plan, small enough for every card."""

    #: Numbers in the plan; 0 when only the provider can tell which they are.
    numbers: int
    #: Numbers that already have the wanted values and are left alone.
    unchanged: int
    #: Jobs that will be created.
    batches: int
    #: Setting name -> what every number is to get that has no value of its own.
    wanted: Wishes
    #: Setting name -> how many different values the numbers get that have values of their own.
    varied: Mapping[str, int] = field(default_factory=dict)
    #: Setting name -> {id: human name} of every id that a person will read.
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Repeated entries dropped from what was pasted.
    repeats: int = 0
    #: A few numbers with the values that differ: (E.164, {setting: before}, {setting: after}).
    sample: tuple[tuple[str, Values, Values], ...] = ()
    #: Setting name -> how many numbers have it switched on although it costs money and was off before.
    paid: Mapping[str, int] = field(default_factory=dict)
    #: Numbers that the requester left out.
    left_out: int = 0
    #: The filter in words, a condition each; empty when the numbers were given one by one.
    conditions: tuple[str, ...] = ()
    #: Changes that hold some of these numbers, the one that holds most first.
    locked: tuple[Held, ...] = ()
    #: Setting name -> how many numbers lose an entry of a list that is replaced whole.
    losing: Mapping[str, int] = field(default_factory=dict)
    #: The most numbers that a filter which is handed to the provider may come to; 0 when every number is in the plan.
    unknown: int = 0
    #: Setting -> how many numbers keep their value, because the provider documents no way to set what they had.
    lost: Mapping[str, int] = field(default_factory=dict)
    #: How many numbers are left as they are, because somebody has changed them since; and the first few of them.
    since: int = 0
    since_named: tuple[str, ...] = ()
    #: What may not be meant, as the end of a sentence about numbers -> how many numbers it is true of.
    cautions: Mapping[str, int] = field(default_factory=dict)
    #: The same sentence -> the first few of those numbers, in E.164.
    cautioned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: What is only observed: setting name -> how many numbers have it on, or set.
    having: Mapping[str, int] = field(default_factory=dict)
    #: The first few numbers of the first wave, in E.164; empty when there is none.
    canary: tuple[str, ...] = ()
    #: What happens between the waves; of no account where there is only one.
    rollout: Rollout = field(default_factory=Rollout)
    #: When the change ends by its plan; it ends at another time when it is extended, or ended early.
    ends_at: datetime | None = None

    @property
    def size(self) -> int:
        """How many numbers the change has, or may have: what the policy goes by."""
        return self.numbers or self.unknown

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all settings that the change is about."""
        return tuple(dict.fromkeys((*self.wanted, *self.varied)))


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


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueExport:
    """Somebody's wish to have current values of some numbers as a sheet."""

    id: int
    #: Kind and target; its settings and its reason are empty.
    draft: Draft
    #: Slack user id.
    requester: str
    created_at: datetime
    #: When it was answered, with the sheet or with why there is none; None while it is not.
    finished_at: datetime | None
    #: Slack's own time, as a ``ts``, before it can have been answered; empty when Slack told none.
    floor: str


class DecisionVerb(Enum):
    """What an approver said."""

    APPROVE = "approve"
    REJECT = "reject"
    ASK_FOR_CHANGES = "ask_for_changes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One approver's word on one change."""

    change: int
    person: str
    verb: DecisionVerb
    #: The digest that was on the button.
    digest: str
    #: Why it was rejected, what should be different, or what was said with the approval; empty for an approval without
    #: a word.
    reason: str
    #: The policy rule that allowed it.
    rule: str
    at: datetime
    #: Why an approval does not count any more, as what is said of the person; empty while it does.
    lapse: str = ""
    #: Since when it does not; None while it does.
    lapsed_at: datetime | None = None
    #: Name of the stage in which an approval counts; empty where the rule has but one, and for everything else.
    stage: str = ""
    #: Whether the person may approve only because the stage had waited for others.
    fallback: bool = False
    #: Whose right it was, lent to the person; empty for a right of their own.
    on_behalf_of: str = ""

    @property
    def approvers(self) -> frozenset[str]:
        """Who and whose right is used up by an approval: neither counts for a second one."""
        return frozenset({self.person, self.on_behalf_of} - {""})

    @property
    def counts(self) -> bool:
        """Whether this is an approval that counts."""
        return self.verb is DecisionVerb.APPROVE and not self.lapse

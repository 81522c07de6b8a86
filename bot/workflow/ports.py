"""What `workflow` needs from Slack, in its own words; `slack` provides it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from bot.changes.model.batches import Batch, FailureGroup, StopReach, Tally
from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision
from bot.changes.model.draft import FollowUp, Upload
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState
from bot.changes.model.locks import Freeze
from bot.changes.model.messages import MessageRef, OutboxMessage
from bot.changes.policy import Audience, Membership, Person, Policy, StageProgress
from bot.telemetry.call_times import CallTimes

#: Least pause before a message is looked for that may have been posted. Slack has no key by which it would know a
#: repetition (slack/API.md, "Messages"), and what it carries out after the look is there twice.
LOOKUP_AFTER = timedelta(seconds=10)
#: The same after whoever posted it died over it: Slack has as long as for a call that is waited for, and as long after.
CUT_OFF_WAIT = timedelta(seconds=30)

#: Returns the present time, aware UTC.
Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeDetails:
    """All that a message about a change may show, read in one moment."""

    change: Change
    kind: Kind
    #: What people call the provider: "Telnyx".
    provider: str
    tally: Tally
    batches: Sequence[Batch]
    decisions: Sequence[Decision]
    failures: Sequence[FailureGroup]
    #: Numbers that have something else than what was sent, and numbers of which nobody could see what they have.
    differences: Sequence[FailureGroup] = ()
    unverified: Sequence[FailureGroup] = ()
    #: The rule that governs it now.
    policy: Policy
    #: Where its approval stands in each stage of that rule.
    stages: Sequence[StageProgress]
    #: When it may begin at the earliest, by its start and its change window; None when it may now.
    opens_at: datetime | None
    #: Who may approve it now.
    audience: Audience
    #: Whom the request for approval mentions.
    mentioned: Audience
    #: Whom the word to the fallback approvers of the open stage mentions: them, whomever requests mention.
    fallback: Audience
    #: Jobs that the kind has at the provider right now, of all changes.
    in_flight: int
    #: Whether the provider has no free slot although we hold fewer than it allows: others hold the rest.
    slots_taken: bool
    #: The freeze in force; None when submissions are free.
    freeze: Freeze | None
    #: How long recent jobs of this kind took, in seconds; None when there were none.
    typical_seconds: float | None
    #: When a request made now would expire.
    expires_if_asked_now: datetime
    now: datetime
    #: Changes that retry or undo this one.
    followers: Sequence[tuple[int, FollowUp]] = ()
    #: What Slack keeps closed for a good while yet, as a method or "a method in a channel", and until when.
    slack_waits: Mapping[str, datetime] = field(default_factory=dict)
    #: Whether we carry its jobs out ourselves, number by number.
    carried_out: bool = False
    #: What restores the numbers of a temporary change; None before its end.
    restore: ChangeDetails | None = None
    #: The last request for a later end of a temporary change; None when nobody has asked for one.
    extension: Change | None = None
    #: The temporary change of which this is a part; None for a change of its own.
    whole: Change | None = None
    #: The part of the change of which a line of history tells; None when it tells of the change itself.
    told: ChangeDetails | None = None
    #: What a freeze keeps back of a running change, and what it cannot; None while there is no freeze.
    reach: StopReach | None = None
    #: Numbers of a running change that wait for its change window, which is closed.
    outside_window: int = 0

    @property
    def waits_for_slack(self) -> Mapping[str, datetime]:
        """What of that concerns this change's card and thread."""
        return {
            what: until
            for what, until in self.slack_waits.items()
            if " in " not in what or what.endswith(f" in {self.change.card.channel}")
        }

    def batches_in(self, *states: BatchState) -> int:
        """Return how many batches are in one of ``states``."""
        return sum(1 for batch in self.batches if batch.state in states)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduledChange:
    """A change that waits for its time, without its numbers: 100,000 of them cost a list no more than three do."""

    change: Change
    kind: Kind
    #: When it may begin at the earliest, by its start and its change window; None when it may now.
    opens_at: datetime | None
    now: datetime


class Directory(Protocol):
    """Who people are and where the bot may post.

    What decides is asked ``fresh``: Slack is asked after the call, and the answer is of that moment. Anything else,
    which is only shown, may be a minute old. What is remembered serves only the brake, while Slack says nothing.
    """

    async def person(self, user: str, *, fresh: bool) -> Person:
        """Return who ``user`` is; raises :class:`bot.errors.DeliveryError` when Slack does not say."""
        ...

    async def membership(self, groups: Iterable[str], *, fresh: bool) -> Membership:
        """Return who is in each user group, or why that is not known."""
        ...

    def remembered_person(self, user: str) -> tuple[Person, float] | None:
        """Return who ``user`` was when Slack said so last, and how many seconds ago; None after some minutes.

        None as well when Slack has said since that there is no such person.
        """
        ...

    def remembered_group(self, group: str) -> tuple[frozenset[str], float] | None:
        """Return who was in ``group`` then, in the same way."""
        ...

    async def can_post(self, channel: str, person: str) -> bool:
        """Tell whether the bot is in ``channel``, which may be its direct message with ``person``.

        True also when Slack is not responding right now.
        """
        ...


class Files(Protocol):
    """Files that people have uploaded."""

    async def fetch(self, upload: Upload) -> bytes:
        """Return the content of ``upload``.

        Raises :class:`bot.errors.InputError` when the file is gone or too large, and
        :class:`bot.errors.DeliveryError` leaves when Slack does not hand it out.
        """
        ...


class DirectMessages(Protocol):
    """Words and files for one person. Raises only :class:`bot.errors.DeliveryError` leaves."""

    async def write(self, user: str, text: str, key: str) -> None:
        """Say ``text`` to ``user``; the message can be found by ``key``."""
        ...

    async def send(self, user: str, name: str, content: bytes, text: str) -> None:
        """Send ``user`` a file called ``name`` with ``text`` beside it."""
        ...

    async def arrived(self, user: str, names: Collection[str], key: str, since: str) -> bool:
        """Tell whether a file called by one of ``names``, or words with ``key``, came to ``user`` after ``since``.

        ``since`` is Slack's own time, as a ``ts``.
        """
        ...


class Announcements(Protocol):
    """Words for a channel that belong to no change. Raises only :class:`bot.errors.DeliveryError` leaves."""

    async def announce(self, channel: str, text: str) -> None:
        """Say ``text`` in ``channel``."""
        ...


class Messenger(Protocol):
    """Delivers messages. Raises only :class:`bot.errors.DeliveryError` leaves."""

    async def deliver(self, message: OutboxMessage, details: ChangeDetails, sheet: bytes | None) -> MessageRef:
        """Post or edit ``message`` as ``details`` has it now and return where it is; ``sheet`` is its file."""
        ...

    async def find(
        self, message: OutboxMessage, details: ChangeDetails, besides: Collection[MessageRef]
    ) -> MessageRef | None:
        """Return where an interrupted ``message`` arrived, by the key in its metadata; None when it did not.

        What stands at one of the places ``besides`` is an older message of the same name.
        """
        ...

    async def lost(self, channel: str) -> bool:
        """Tell whether the bot can post in ``channel`` no more, as Slack says when it is asked for just that."""
        ...


class Slack(Protocol):
    """What Slack lets us know besides its answers."""

    @property
    def calls(self) -> CallTimes:
        """What calls of its API took since the start, by method and how they ended."""
        ...

    def waits(self) -> Mapping[str, datetime]:
        """Return which methods Slack keeps closed for a good while yet, and until when."""
        ...

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

#: Least pause before a message that may have been posted is looked for. Slack has no key by which to recognise a
#: repetition (slack/API.md, "Messages"), so a post that it carries out after the look would be there twice.
LOOKUP_AFTER = timedelta(seconds=10)
#: The same pause when the process died during the post: one full call time-out, and as long again for Slack to carry it
#: out.
CUT_OFF_WAIT = timedelta(seconds=30)

#: Returns the present time, aware UTC.
Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeDetails:
    """Everything that a message about a change may show, read at one moment."""

    change: Change
    kind: Kind
    #: What people call the provider: "Telnyx".
    provider: str
    tally: Tally
    batches: Sequence[Batch]
    decisions: Sequence[Decision]
    failures: Sequence[FailureGroup]
    #: Numbers whose values differ from those sent, and numbers that could not be read.
    differences: Sequence[FailureGroup] = ()
    unverified: Sequence[FailureGroup] = ()
    #: The rule that governs the change now.
    policy: Policy
    #: The progress of its approval in each stage of that rule.
    stages: Sequence[StageProgress]
    #: When it may begin at the earliest, by its start and its change window; None when it may begin now.
    opens_at: datetime | None
    #: Who may approve it now.
    audience: Audience
    #: The people whom the request for approval mentions.
    mentioned: Audience
    #: The fallback approvers of the open stage, whom the message to them mentions regardless of other mentions.
    fallback: Audience
    #: Jobs of the kind at the provider right now, of all changes.
    in_flight: int
    #: Whether the provider has no free slot although we hold fewer than it allows, because others hold the rest.
    slots_taken: bool
    #: The freeze in force; None when there is none.
    freeze: Freeze | None
    #: How long recent jobs of this kind took, in seconds; None when there were none.
    typical_seconds: float | None
    #: When a request made now would expire.
    expires_if_asked_now: datetime
    now: datetime
    #: Changes that retry or undo this one.
    followers: Sequence[tuple[int, FollowUp]] = ()
    #: Methods that Slack keeps closed for a while, as a method or "a method in a channel", and until when.
    slack_waits: Mapping[str, datetime] = field(default_factory=dict)
    #: Whether we carry its jobs out ourselves, number by number.
    carried_out: bool = False
    #: The restore of a temporary change; None before its end.
    restore: ChangeDetails | None = None
    #: The last request to extend a temporary change; None when nobody has made one.
    extension: Change | None = None
    #: The temporary change that this is a part of; None for an independent change.
    whole: Change | None = None
    #: The part of the change that a line of history is about; None when it is about the change itself.
    told: ChangeDetails | None = None
    #: How many numbers of a running change a freeze keeps back, and which it cannot; None without a freeze.
    reach: StopReach | None = None
    #: Numbers of a running change that wait for its closed change window.
    outside_window: int = 0

    @property
    def waits_for_slack(self) -> Mapping[str, datetime]:
        """The waits that concern this change's card and thread."""
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
    """A change that waits for its time, without its numbers: listing 100,000 numbers costs no more than three."""

    change: Change
    kind: Kind
    #: When it may begin at the earliest, by its start and its change window; None when it may begin now.
    opens_at: datetime | None
    now: datetime


class Directory(Protocol):
    """Who people are and where the bot may post.

    A decision needs a ``fresh`` answer: Slack is asked after the call, and the answer is of that moment. Answers that
    are only shown may be a minute old. Remembered answers serve only the brake, while Slack does not answer.
    """

    async def person(self, user: str, *, fresh: bool) -> Person:
        """Return who ``user`` is; raises :class:`bot.errors.DeliveryError` when Slack does not answer."""
        ...

    async def membership(self, groups: Iterable[str], *, fresh: bool) -> Membership:
        """Return who is in each user group, or why that is not known."""
        ...

    def remembered_person(self, user: str) -> tuple[Person, float] | None:
        """Return who ``user`` was in Slack's last answer, and how many seconds ago; None after some minutes.

        None also when Slack has said since that there is no such person.
        """
        ...

    def remembered_group(self, group: str) -> tuple[frozenset[str], float] | None:
        """Return who was in ``group``, in the same way."""
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

        Raises :class:`bot.errors.InputError` when the file is gone or too large, and :class:`bot.errors.DeliveryError`
        leaves when Slack does not deliver it.
        """
        ...


class DirectMessages(Protocol):
    """Texts and files for one person. Raises only :class:`bot.errors.DeliveryError` leaves."""

    async def write(self, user: str, text: str, key: str) -> None:
        """Send ``text`` to ``user``; the message can be found by ``key``."""
        ...

    async def send(self, user: str, name: str, content: bytes, text: str) -> None:
        """Send ``user`` a file called ``name`` with ``text`` beside it."""
        ...

    async def arrived(self, user: str, names: Collection[str], key: str, since: str) -> bool:
        """Tell whether a file with one of ``names``, or a text with ``key``, came to ``user`` after ``since``.

        ``since`` is Slack's own time, as a ``ts``.
        """
        ...


class Announcements(Protocol):
    """Messages for a channel that belong to no change. Raises only :class:`bot.errors.DeliveryError` leaves."""

    async def announce(self, channel: str, text: str) -> None:
        """Post ``text`` in ``channel``."""
        ...


class Messenger(Protocol):
    """Delivers messages. Raises only :class:`bot.errors.DeliveryError` leaves."""

    async def deliver(self, message: OutboxMessage, details: ChangeDetails, sheet: bytes | None) -> MessageRef:
        """Post or edit ``message`` with ``details`` as they are now, and return its place; ``sheet`` is its file."""
        ...

    async def find(
        self, message: OutboxMessage, details: ChangeDetails, besides: Collection[MessageRef]
    ) -> MessageRef | None:
        """Return where an interrupted ``message`` arrived, by the key in its metadata; None when it did not.

        A message at one of the places ``besides`` is an older one with the same name.
        """
        ...

    async def lost(self, channel: str) -> bool:
        """Tell whether the bot can no longer post in ``channel``, as Slack says when asked about just that."""
        ...


class Slack(Protocol):
    """What Slack tells us besides its answers."""

    @property
    def calls(self) -> CallTimes:
        """How long API calls took since the start of the process, by method and how they ended."""
        ...

    def waits(self) -> Mapping[str, datetime]:
        """Return which methods Slack keeps closed for a while, and until when."""
        ...

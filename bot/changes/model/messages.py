"""What Linesman says in Slack about a change. How it looks is `slack`'s business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from bot.changes.model.file_format import FileFormat


class Topic(Enum):
    """What a message is about. How it looks is `slack`'s business."""

    PREVIEW = "preview"  #: the modal that waits for the plan
    CARD = "card"  #: the one message per change
    APPROVAL_CARD = "approval_card"  #: the request to the approvers
    THREAD = "thread"  #: a line of history below the card
    PLAN = "plan"  #: the sheet with everything that is going to happen, below the card
    SHEET = "sheet"  #: the requester's own sheet with what is wrong in it, in a direct message
    RESULTS = "results"  #: the sheet with every number, below the card
    REMINDER = "reminder"  #: a word to the approvers who have not answered, below the request for approval
    FORMER = "former"  #: a card that was left behind, edited to say where the present one is
    FAILURE = "failure"  #: the notice in the failure channel


#: What a notice in the failure channel is about when it asks operators something.
QUESTION: Final = "question"
#: What one is about that tells of work which fails for a reason that nobody foresaw.
FAULT: Final = "fault"

#: Topics of which only the latest state counts: one row each per change, shown again whenever something moved.
STANDING: Final = frozenset({Topic.PREVIEW, Topic.CARD, Topic.APPROVAL_CARD})
#: Topics that go below the card, in the order in which they were decided on, once the card is there.
THREADED: Final = frozenset({Topic.PLAN, Topic.THREAD, Topic.RESULTS})


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One claimed message."""

    id: int
    #: Unique name of the message, such as ``CHG-42:thread:approved``; carried in Slack's metadata.
    key: str
    change: int
    topic: Topic
    data: Mapping[str, Any]
    #: 1 when no earlier attempt can have reached Slack.
    attempts: int
    version: int
    #: When the message was last delivered; None for a standing message that has never been.
    sent_at: datetime | None
    #: Where a notice goes, another channel by now if that one refused it; empty for what goes to a card, and for a
    #: notice of an earlier version that nothing refused.
    channel: str = ""
    #: Slack's own time, as a ``ts``, before the first attempt that may have reached it; empty when it told none.
    floor: str = ""
    #: How many of the attempts before are over: Slack answered them, or was given the time to carry them out late.
    settled: int = 0

    @property
    def form(self) -> FileFormat:
        """What sort of file goes with it, if one does."""
        return FileFormat(self.data.get("form", FileFormat.CSV.value))

    @property
    def interrupted(self) -> bool:
        """Whether an earlier attempt may have reached Slack without our knowing."""
        return self.attempts > 1

    @property
    def cut_off(self) -> bool:
        """Whether who made the latest attempt died over it, so that Slack may be carrying it out just now."""
        return self.attempts - 1 > self.settled


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRef:
    """Where a message is: channel id and, once posted, its ts."""

    channel: str = ""
    ts: str = ""

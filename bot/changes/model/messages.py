"""Messages that Linesman sends to Slack about a change. Their appearance is up to `slack`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from bot.changes.model.file_format import FileFormat


class Topic(Enum):
    """The subject of a message. Its appearance is up to `slack`."""

    PREVIEW = "preview"  #: the modal that waits for the plan
    CARD = "card"  #: the one message per change
    APPROVAL_CARD = "approval_card"  #: the request to the approvers
    THREAD = "thread"  #: a line of history below the card
    PLAN = "plan"  #: the sheet with all that is going to happen, below the card
    SHEET = "sheet"  #: the requester's own sheet with its errors marked, in a direct message
    RESULTS = "results"  #: the sheet with every number, below the card
    REMINDER = "reminder"  #: a message to approvers who have not answered, below the request for approval
    FORMER = "former"  #: a card that was left behind, edited to say where the current one is
    FAILURE = "failure"  #: the notice in the failure channel


#: Subject of a notice in the failure channel that asks operators something.
QUESTION: Final = "question"
#: Subject of a notice about work that keeps failing unexpectedly.
FAULT: Final = "fault"

#: Topics of which only the latest state counts: one row each per change, redrawn after every change of state.
STANDING: Final = frozenset({Topic.PREVIEW, Topic.CARD, Topic.APPROVAL_CARD})
#: Topics that go below the card, once it is there, in the order in which they were decided.
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
    #: When the message was last delivered; None for a standing message that was never delivered.
    sent_at: datetime | None
    #: The current channel of a notice, another one if the first refused it. Empty for messages that belong to a card,
    #: and for a notice of an earlier version that nothing refused.
    channel: str = ""
    #: Slack's time, as a ``ts``, before the first attempt that may have reached it; empty when it told none.
    floor: str = ""
    #: How many of the earlier attempts are over: Slack answered, or had the time to carry them out late.
    settled: int = 0

    @property
    def form(self) -> FileFormat:
        """The format of its file, if it has one."""
        return FileFormat(self.data.get("form", FileFormat.CSV.value))

    @property
    def interrupted(self) -> bool:
        """Whether an earlier attempt may have reached Slack without our knowledge."""
        return self.attempts > 1

    @property
    def cut_off(self) -> bool:
        """Whether the process died during the latest attempt, so that Slack may be carrying it out right now."""
        return self.attempts - 1 > self.settled


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRef:
    """The place of a message: channel id and, once posted, its ts."""

    channel: str = ""
    ts: str = ""

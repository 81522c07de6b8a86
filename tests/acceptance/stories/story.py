"""What a story is: a kind of change, and what the provider must have been asked for in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from tests.acceptance import ledger
from tests.acceptance.workspace import APPROVALS, FAILURES

if TYPE_CHECKING:
    from tests.acceptance.stage import Stage


class Line(Protocol):
    """A number, as far as Ana knows it."""

    @property
    def phone_number(self) -> str:
        """The number in E.164."""

    @property
    def id(self) -> str:
        """The provider's id of it."""


@dataclass(frozen=True)
class Named:
    """A number and its id."""

    phone_number: str
    id: str


class Told(NamedTuple):
    """What the row of a number has to say in the results."""

    outcome: str
    code: str = ""
    reason: str = ""
    pointer: str = ""
    job: str = ""


class Story(ABC):
    """A kind of change, from the numbers that it starts with to what has to be true of them at its end."""

    #: The word behind ``/numbers``.
    command: ClassVar[str]
    provider: ClassVar[str] = "Telnyx"
    #: By setting: typed or chosen.
    wanted: ClassVar[Mapping[str, str]]
    #: The filter by which Ana finds the numbers, each condition chosen; empty when she types the numbers.
    filters: ClassVar[Mapping[str, str]] = {}
    #: When a temporary change is to end, as Ana types it; she ends it long before that. Empty for one that lasts.
    until: ClassVar[str] = ""
    #: What Ana types about waves, by block; empty for a change that goes out as a whole.
    rollout: ClassVar[Mapping[str, str]] = {}
    #: The reference that Ana asks for at first, until Max asks for changes; empty when he approves her first plan.
    at_first: ClassVar[str] = ""
    #: The rules of the policy file; empty when there is none.
    policy: ClassVar[str] = ""
    #: Where approval is asked for, and where failures are told.
    approval_channel: ClassVar[str] = APPROVALS
    failure_channel: ClassVar[str] = FAILURES
    #: Who is there besides Ana and Max, by id.
    others: ClassVar[Mapping[str, str]] = {}
    #: The steps of its approval, as the audit log calls them.
    approval: ClassVar[Sequence[str]] = ("approved",)
    #: Who approved, as the cards say it in the end.
    approved: ClassVar[str] = "@Max approved"
    #: What stands below the request for approval in the end, a part of each message.
    below_the_request: ClassVar[Sequence[str]] = ()
    #: Lines of the thread between the plan and its approval, by their first word.
    before_approval: ClassVar[Sequence[str]] = ()
    #: A value that is no secret, so that it has to be found in the database.
    plain: ClassVar[str]

    @abstractmethod
    def stock(self, stage: Stage, *, batches: int, each: int) -> None:
        """Give the account its numbers; Ana asks for them in this order."""

    @abstractmethod
    def truth(self, stage: Stage) -> dict[str, Told]:
        """Return what has to be told of each number that was worked on, by id, as the provider has it."""

    @abstractmethod
    def worked_on(self, stage: Stage) -> Counter[str]:
        """Return how often each number was changed or tried, by id."""

    @abstractmethod
    def assert_values(self, stage: Stage) -> None:
        """Check what the provider's numbers have now: those that failed their old values, the others the new ones."""

    def unclear(self, stage: Stage) -> list[str]:  # noqa: ARG002 - who needs no stage says so by this
        """Return the ids of failed numbers whose refusal may not have been heard, so that only their values tell."""
        return []

    def assert_approval(self, stage: Stage, change: int) -> None:
        """Check that Max has approved, in his own right."""
        assert ledger.approvals(stage.database, change) == [("U0MAX", "", 0, "")]

    def assert_jobs(self, stage: Stage) -> None:
        """Check that the provider has no more jobs than were planned."""
        assert len(stage.telnyx.jobs) == stage.batches

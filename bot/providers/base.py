"""The abilities of every provider, in terms of the domain; `workflow` knows nothing else about them.

:class:`Session` has the common parts of providers that speak HTTP.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

from bot.changes.model.filter_fields import Condition
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.model.values import Values
from bot.changes.policy import OnStale
from bot.clock_skew import ServiceClock
from bot.providers.answers import KeyWatch
from bot.providers.exchange import Ready
from bot.providers.http import PacedClient
from bot.telemetry.call_times import CallTimes


class JobState(Enum):
    """The provider's state of a job as a whole. Outcomes of numbers never come from it alone."""

    PENDING = "pending"  #: accepted, not begun
    IN_PROGRESS = "in_progress"  #: being worked on
    COMPLETED = "completed"  #: done, possibly with failed numbers
    FAILED = "failed"  #: abandoned by the provider
    EXPIRED = "expired"  #: not processed in time by the provider
    UNKNOWN = "unknown"  #: a word that this version does not know; treated as still running

    @property
    def over(self) -> bool:
        """Whether the provider will do no more work on the job."""
        return self in {JobState.COMPLETED, JobState.FAILED, JobState.EXPIRED}


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRequest:
    """Up to ``kind.batch_size`` numbers that get the same values in one call."""

    kind: Kind
    #: The numbers, as (provider id, E.164) pairs.
    numbers: tuple[tuple[str, str], ...]
    #: Setting name -> value to send, including whole groups. Secrets stay sealed; the provider opens them for the body.
    values: Values
    #: A filter in place of ``numbers``, where only the provider can resolve it; empty otherwise.
    handed: tuple[Condition, ...] = ()
    #: The permanent name of the batch. A provider that runs its jobs itself files the job under it, so that submitting
    #: the batch again finds the job instead of making another.
    reference: str = ""
    #: Provider id -> the number's values as the plan found them, without values that the provider did not return.
    #: Needed where the provider sends one request for each number: to send only what differs, and to see whether a list
    #: changed.
    before: Mapping[str, Values] = field(default_factory=dict)
    #: What follows when a provider that sends one request for each number finds one stale just before it.
    on_stale: OnStale = OnStale.STOP


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationReport:
    """The provider's report on one number of a job."""

    #: The provider's id of the number; empty when it gave none.
    id: str
    #: The number in E.164; empty when the provider gave none.
    e164: str
    #: For a failed number: the provider's own code, sentence and pointer.
    code: str = ""
    reason: str = ""
    pointer: str = ""
    #: False for a failed number that the job never sent, because it stopped first; the reason says why.
    attempted: bool = True
    #: False for a failed number of which the job cannot say whether it was changed.
    known: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class JobReport:
    """One job as the provider describes it now."""

    id: str
    state: JobState
    #: The provider's own word for the state, kept in case we do not know it.
    state_word: str = ""
    succeeded: tuple[OperationReport, ...] = ()
    failed: tuple[OperationReport, ...] = ()
    pending: tuple[OperationReport, ...] = ()
    #: Estimated time of completion by our clock, aware UTC.
    done_by: datetime | None = None
    created_at: datetime | None = None
    #: The identifiers that the job was created with, ids or E.164, as text.
    numbers: frozenset[str] = frozenset()
    #: Id -> E.164 of every number for which the job gives both.
    known: Mapping[str, str] = field(default_factory=dict)
    #: False when the provider does not tell enough to say whether the job belongs to the batch in question.
    certain: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSearch:
    """The result of a search for the job of a batch."""

    jobs: tuple[JobReport, ...]
    #: Whether the provider's list was read as far back as requested, or to its end. If it was not, a job that is not
    #: among ``jobs`` may still exist.
    whole: bool = True
    #: The least possible time at the provider when the first answer was given; None when unknown.
    asked_there: datetime | None = None


class Provider(Protocol):
    """One company whose API holds numbers.

    Every method raises only :class:`bot.errors.ProviderError` leaves. Reads are retried inside, within their time
    limit. A job-creating call is sent at most once per :meth:`submit`. After a timeout, a broken connection, a 5xx or
    an unreadable answer it raises :class:`bot.errors.OutcomeUnknown`, after a refused connection
    :class:`bot.errors.Unavailable`, and the caller decides.
    """

    #: ``telnyx`` or ``close``; the part of a kind's name before the dot.
    name: str
    #: Its name for people: "Telnyx".
    title: str
    kinds: Sequence[Kind]
    #: Whether its jobs are runs of ours (:mod:`bot.changes.model.bulk_runs`), which we carry out number by number.
    #: Unsent numbers of such a job are in our hands: they wait during a freeze, and stop for good when the run is
    #: called off in the transaction that decides it (``tx.runs.call_off``). Jobs of other providers run there, and we
    #: cannot stop them.
    carries_out: bool
    #: The provider's clock, according to its answers.
    clock: ServiceClock
    #: Reports when the provider rejects the API key.
    key: KeyWatch
    #: Duration of its HTTP calls since the start, by method, path template and status.
    calls: CallTimes

    def is_id(self, text: str) -> bool:
        """Tell whether ``text`` has the form of one of this provider's number ids."""
        ...

    def find(self, target: Target, names: Iterable[str], kind: Kind) -> AsyncIterator[Snapshot]:
        """Stream snapshots of the target's numbers with the settings ``names``, with the fewest calls.

        A number that is not in the account, or not editable now, is either absent from the stream or comes with
        ``editable=False``; other numbers are never in the stream. The order is not defined, and no number comes twice.
        Secret settings come sealed, as :class:`bot.changes.model.values.Secret`.

        Conditions are resolved here, and every number that the provider lists is checked against them. Raises
        :class:`bot.errors.BadRequest` when one does not match, and :class:`bot.errors.FilterRefused` when the provider
        does not say which numbers match. These errors may come at any time, so nothing may be done with the numbers
        before the stream has ended.

        With a ``limit``, at most ``limit + 1`` snapshots come. When there are that many, the target is too large and
        they must not be used otherwise: they may lack values and be wrongly ``editable=False``.
        """
        ...

    async def submit(self, batch: BatchRequest, ready: Ready | None = None) -> JobReport:
        """Create the job for ``batch`` with one POST and return what the provider answered.

        ``ready`` has the last word: it is awaited when nothing is left to wait for before the POST, neither the
        provider's pace nor a place among the requests under way. If it raises, the error is raised and nothing was
        sent.
        """
        ...

    async def poll(self, job_id: str) -> JobReport:
        """Return the job as it is now. Raises ProviderNotFound when the provider does not know it."""
        ...

    async def search(self, batch: BatchRequest, since: datetime | None) -> JobSearch:
        """Return the jobs that may belong to the batch, which was sent after ``since`` by the provider's own clock.

        They are of the batch's type and name exactly its numbers; a job that sets other values is left out. A job that
        does not prove all of that, or that it was made after ``since``, may still belong to the batch: it comes with
        ``certain=False``. None for ``since`` means that nobody knows when the batch was sent; then a job of any age
        counts.
        """
        ...

    async def recognise(self, batch: BatchRequest, job_id: str, since: datetime | None) -> JobReport:
        """Return the job that a person takes for the batch's, after comparing it as :meth:`search` does.

        Raises ProviderNotFound when there is no such job and :class:`bot.errors.BadRequest` when it certainly does not
        belong to the batch; ``certain`` is False when the provider does not tell enough.
        """
        ...

    async def choices(self, kind: Kind, setting: str, text: str) -> tuple[Choice, ...]:
        """Return the name of the first condition that no list accepts, so that it takes a CSV download; or "".

        ``setting`` is a LOOKUP setting, or the ``lookup`` of a filter field.
        """
        ...

    async def labels(self, kind: Kind, setting: str, ids: Iterable[str]) -> Mapping[str, str]:
        """Return id -> human name for those of ``ids`` that exist at the provider."""
        ...

    async def check(self) -> str:
        """Make one cheap call and return a sentence about the account, for ``linesman check``."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Session:
    """An open session with one provider, over ``http``; close it, or use it in ``async with``."""

    def __init__(self, http: PacedClient) -> None:
        self._http = http
        self.clock = http.clock
        self.key = http.key
        self.calls = http.calls

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; no call works afterwards."""
        await self._http.client.aclose()

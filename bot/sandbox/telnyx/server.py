"""The stand-in itself, and the handles by which a test plays the rest of Telnyx's world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Self, Unpack

from bot.sandbox.provider.account import consecutive
from bot.sandbox.provider.clock import Clock, utc_now
from bot.sandbox.provider.server import ProviderStandIn
from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.behaviour import Behaviour, Failure
from bot.sandbox.telnyx.downloads import DownloadBehaviour, DownloadRoutes
from bot.sandbox.telnyx.errors import Problem
from bot.sandbox.telnyx.file_host import FileHost
from bot.sandbox.telnyx.job_book import JobBook
from bot.sandbox.telnyx.job_routes import JobRoutes, JobType
from bot.sandbox.telnyx.jobs import Job
from bot.sandbox.telnyx.lookups import LookupRoutes
from bot.sandbox.telnyx.middleware import Middleware
from bot.sandbox.telnyx.misbehaviour import JobFilter, Misbehaviour, MisbehaviourRule
from bot.sandbox.telnyx.number_routes import NumberRoutes
from bot.sandbox.telnyx.paging import Paging
from bot.sandbox.telnyx.provisioning import Provisioning
from bot.sandbox.telnyx.rates import RateLimit
from bot.sandbox.telnyx.records import Address, BillingGroup, Connection, Number
from bot.sandbox.telnyx.registration import NumberFields, register


class TelnyxStandIn(ProviderStandIn[Number]):
    """Behaves as Telnyx's v2 API for the endpoints that change and read phone numbers.

    Use it as an async context manager; then ``url`` is the base to give to a client.

    Args:
        api_key: the key that callers must send as a bearer token.
        job_seconds: what a job takes from pending to done.
        clock: the source of the time; real UTC by default. ``advance`` works on top of either.
        port: the loopback port; 0 takes a free one.
        phone_number_filtering: whether the account may use ``filter[phone_number]`` on jobs.

    """

    def __init__(
        self,
        *,
        api_key: str = "KEY0123456789",
        job_seconds: float = 2.0,
        clock: Callable[[], datetime] = utc_now,
        port: int = 0,
        phone_number_filtering: bool = True,
    ) -> None:
        self.api_key = api_key
        time = Clock(clock)
        self._account = Account(time)
        self._behaviour = Behaviour(self._account)
        self._book = JobBook(time, self._behaviour)
        self._middleware = Middleware(api_key, time, self._book)
        self._number_routes = NumberRoutes(self._account, self._behaviour)
        self._job_routes = JobRoutes(
            self._account,
            self._book,
            seconds=job_seconds,
            phone_number_filtering=phone_number_filtering,
        )
        lookups = LookupRoutes(self._account)
        #: Where the files of downloads are.
        self.files = FileHost(time)
        self._download_routes = DownloadRoutes(self._account, self.files)
        super().__init__(
            clock=time,
            account=self._account,
            middleware=self._middleware,
            routes=[
                *self._job_routes.routes(),
                *self._download_routes.routes(),
                *self._number_routes.routes(),
                *lookups.routes(),
            ],
            port=port,
        )

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        runner = await self.files.start()
        self._stack.push_async_callback(runner.cleanup)
        return self

    def catch_up(self) -> None:
        """Let the jobs that are due change their numbers."""
        self._book.settle()

    def add_number(self, phone_number: str, **given: Unpack[NumberFields]) -> Number:
        """Give the account a number; a ``ValueError`` says what is wrong with it."""
        return register(self._account, phone_number, given)

    def add_numbers(self, count: int, *, start: str, **given: Unpack[NumberFields]) -> list[Number]:
        """Give the account ``count`` consecutive numbers from ``start`` on, all with the same fields."""
        return [self.add_number(number, **given) for number in consecutive(count, start=start)]

    def add_connection(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002 - it is the field's own name
        record_type: str = "ip_connection",
        active: bool = True,
    ) -> Connection:
        """Give the account a connection."""
        connection = Connection(
            id=id or self._account.new_id(),
            connection_name=name,
            created_at=self._clock.now(),
            record_type=record_type,
            active=active,
        )
        self._account.connections[connection.id] = connection
        return connection

    def add_billing_group(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002 - it is the field's own name
    ) -> BillingGroup:
        """Give the account a billing group."""
        group = BillingGroup(id=id or self._account.new_uuid(), name=name, created_at=self._clock.now())
        self._account.billing_groups[group.id] = group
        return group

    def add_address(
        self,
        street_address: str,
        *,
        id: str | None = None,  # noqa: A002 - it is the field's own name
        business_name: str | None = None,
        customer_reference: str | None = None,
        valid_for_emergency: bool = True,
    ) -> Address:
        """Give the account an address; with one that is not valid every emergency operation fails."""
        address = Address(
            id=id or self._account.new_id(),
            created_at=self._clock.now(),
            street_address=street_address,
            business_name=business_name,
            customer_reference=customer_reference,
            valid_for_emergency=valid_for_emergency,
        )
        self._account.addresses[address.id] = address
        return address

    def names(self) -> dict[str, str]:
        """Return what ids of connections, billing groups and addresses stand for."""
        return self._account.names()

    def fail(
        self,
        key: str,
        *,
        code: str = "10015",
        title: str = "Bad Request",
        detail: str = "The field is invalid.",
        pointer: str | None = None,
        job_type: JobType | None = None,
        times: int | None = None,
    ) -> None:
        """Let operations on a number (E.164 or id) fail with this error; ``times=None`` means always."""
        problem = Problem(code=code, title=title, detail=detail, pointer=pointer)
        self._behaviour.fail(Failure(key=key, problem=problem, job_type=job_type, times=times))

    def misbehave(
        self,
        job_filter: JobFilter,
        how: Misbehaviour | str,
        *,
        field: str | None = None,
        numbers: Iterable[str] | None = None,
    ) -> None:
        """Make present and future jobs misbehave (see ``Misbehaviour`` for the ways).

        Args:
            job_filter: ``None`` for every job, a job type, a job id, or a function of the ``Job``.
            how: the misbehaviour.
            field: for ``silently_dropped`` only: the dotted path of the field that keeps its value.
            numbers: for ``silently_dropped`` only: the numbers (E.164 or ids) that it happens to; all by default.

        Raises:
            ValueError: for an unknown misbehaviour, or a field missing or not called for.

        """
        meant = Misbehaviour(how)
        if (field is not None) != (meant is Misbehaviour.SILENTLY_DROPPED):
            raise ValueError("silently_dropped needs the field to drop, and nothing else takes one")
        self._book.misbehave(
            MisbehaviourRule(job_filter, meant, field, None if numbers is None else frozenset(numbers))
        )

    def behave(self, how: Misbehaviour) -> None:
        """Let no more jobs misbehave in this way; jobs that were stuck because of it continue."""
        self._book.behave(how)

    @property
    def jobs(self) -> Sequence[Job]:
        """The jobs that callers created, oldest first, at the state of this moment."""
        self._book.settle()
        return [job for job in self._book.all.values() if not job.of_somebody_else]

    def other_jobs(self, count: int, job_type: JobType, *, seconds: float | None = None) -> list[Job]:
        """Let somebody else have ``count`` jobs under way, ending after ``seconds`` or by ``end_other_jobs``.

        They take up the in-flight limit and show in the list of jobs, with one number that is not ours to see.
        """
        now = self._clock.now()
        return [self._book.add(Job.of_others(job_type, now, seconds)) for _ in range(count)]

    def end_other_jobs(self, count: int | None = None) -> None:
        """End jobs of somebody else: the oldest ``count`` that are under way, or all."""
        under_way = [job for job in self._book.all.values() if job.of_somebody_else and not job.finished]
        for job in under_way[:count]:
            job.end_now(self._clock.now())

    @property
    def job_seconds(self) -> float:
        """What a job that is created from now on takes."""
        return self._job_routes.seconds

    @job_seconds.setter
    def job_seconds(self, seconds: float) -> None:
        self._job_routes.seconds = seconds

    @property
    def ignored_filters(self) -> set[str]:
        """Parameters of the number lists that are overlooked from now on, such as ``filter[tag]``; none by default."""
        return self._number_routes.ignored

    @property
    def downloads(self) -> DownloadBehaviour:
        """How CSV downloads go."""
        return self._download_routes.behaviour

    @property
    def list_lag(self) -> float:
        """For how many seconds a new job is not in the list of jobs yet; 0 by default."""
        return self._job_routes.list_lag

    @list_lag.setter
    def list_lag(self, seconds: float) -> None:
        self._job_routes.list_lag = seconds

    @property
    def paging(self) -> Paging:
        """How all lists are cut into pages; change it to have them cut wrongly."""
        return self._account.paging

    @property
    def intruders(self) -> list[str]:
        """Ids of numbers that are in every answer about ownership, asked for or not; none by default."""
        return self._account.intruders

    @property
    def emergency(self) -> Provisioning:
        """The emergency service behind the account: how long it takes, and for which numbers it is turned down."""
        return self._account.emergency

    @property
    def rate_limit(self) -> RateLimit | None:
        """The rate limit in force; none by default."""
        return self._middleware.rate_limit

    @rate_limit.setter
    def rate_limit(self, limit: RateLimit | None) -> None:
        self._middleware.rate_limit = limit

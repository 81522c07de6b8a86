"""The stand-in itself: a server on loopback, and the handles by which a test plays the rest of the world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar, Unpack

from aiohttp import web

from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.clock import Clock, utc_now
from bot.sandbox.telnyx.effects import Effects, Failure
from bot.sandbox.telnyx.errors import Problem
from bot.sandbox.telnyx.faults import Faults
from bot.sandbox.telnyx.gate import PREFIX, Gate
from bot.sandbox.telnyx.job_book import JobBook
from bot.sandbox.telnyx.job_routes import JobRoutes, JobType
from bot.sandbox.telnyx.jobs import Job
from bot.sandbox.telnyx.lookups import LookupRoutes
from bot.sandbox.telnyx.misbehaviour import JobFilter, Misbehaviour, Rule
from bot.sandbox.telnyx.number_routes import NumberRoutes
from bot.sandbox.telnyx.paging import Paging
from bot.sandbox.telnyx.provisioning import Provisioning
from bot.sandbox.telnyx.rates import RateLimit
from bot.sandbox.telnyx.records import Address, BillingGroup, Call, Connection, Number
from bot.sandbox.telnyx.registration import NumberFields, register
from bot.sandbox.telnyx.rewrites import Rewrites

Found = TypeVar("Found")


class TelnyxStandIn:
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
        self._port = port
        self._clock = Clock(clock)
        self._account = Account(self._clock)
        self._effects = Effects(self._account)
        self._book = JobBook(self._clock, self._effects)
        self._gate = Gate(api_key, self._clock, self._book)
        self._number_routes = NumberRoutes(self._account)
        self._job_routes = JobRoutes(
            self._account,
            self._book,
            seconds=job_seconds,
            phone_number_filtering=phone_number_filtering,
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._gate.middleware])
        app.on_response_prepare.append(self._gate.date)
        sources = (self._job_routes, self._number_routes, LookupRoutes(self._account))
        for route in (route for source in sources for route in source.routes()):
            app.router.add_route(route.method, PREFIX + route.path, route.handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """The base URL, ``/v2`` included, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}{PREFIX}"

    @property
    def numbers(self) -> dict[str, Number]:
        """All numbers by id, as the jobs that are due have left them."""
        self._book.settle()
        return self._account.numbers

    def number(self, key: str) -> Number:
        """Return a number by E.164 or id.

        Raises:
            KeyError: when the account does not have it (any more).

        """
        self._book.settle()
        number = self._account.find(key)
        if number is None:
            raise KeyError(key)
        return number

    def add_number(self, phone_number: str, **given: Unpack[NumberFields]) -> Number:
        """Give the account a number; a ``ValueError`` says what is wrong with it."""
        return register(self._account, phone_number, given)

    def add_numbers(self, count: int, *, start: str, **given: Unpack[NumberFields]) -> list[Number]:
        """Give the account ``count`` consecutive numbers from ``start`` on, all with the same fields."""
        first = int(start.removeprefix("+"))
        return [self.add_number(f"+{first + offset}", **given) for offset in range(count)]

    def remove_number(self, key: str) -> None:
        """Take a number out of the account, as somebody in the portal would."""
        self._account.remove(self.number(key))

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
        self._effects.fail(Failure(key=key, problem=problem, job_type=job_type, times=times))

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
        self._book.misbehave(Rule(job_filter, meant, field, None if numbers is None else frozenset(numbers)))

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
    def calls(self) -> Sequence[Call]:
        """Every request so far, in order of arrival."""
        return self._gate.calls

    @property
    def rewrites(self) -> Rewrites:
        """What is made of the documents of answers; order with ``rewrites.add``."""
        return self._gate.rewrites

    @property
    def faults(self) -> Faults:
        """The faults on the wire; order one with ``faults.add``."""
        return self._gate.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._gate.faults = faults

    @property
    def ignored_filters(self) -> set[str]:
        """Parameters of the number lists that are overlooked from now on, such as ``filter[tag]``; none by default."""
        return self._number_routes.ignored

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
    def mistaken(self) -> dict[str, str]:
        """Id that is asked for by itself -> id of the number that is answered in its place; none by default."""
        return self._account.mistaken

    @property
    def read_lag(self) -> float:
        """For how many seconds after a job has changed a number it is still read as it was before; 0 by default."""
        return self._account.read_lag

    @read_lag.setter
    def read_lag(self, seconds: float) -> None:
        self._account.read_lag = seconds

    @property
    def emergency(self) -> Provisioning:
        """The emergency service behind the account: how long it takes, and for which numbers it is turned down."""
        return self._account.emergency

    @property
    def rate_limit(self) -> RateLimit | None:
        """The rate limit in force; none by default."""
        return self._gate.rate_limit

    @rate_limit.setter
    def rate_limit(self, limit: RateLimit | None) -> None:
        self._gate.rate_limit = limit

    @property
    def dated(self) -> bool:
        """Whether answers have a ``Date``, in the time of the stand-in; they do by default."""
        return self._gate.dated

    @dated.setter
    def dated(self, dated: bool) -> None:
        self._gate.dated = dated

    def advance(self, seconds: float) -> None:
        """Skip ``seconds`` ahead; jobs catch up with the next look."""
        self._clock.advance(seconds)

    async def wait_for(
        self,
        predicate: Callable[[], Found],
        timeout: float = 45.0,  # noqa: ASYNC109 - the deadline is the point of this call
    ) -> Found:
        """Wait until ``predicate()`` is true and return what it gave.

        Raises:
            TimeoutError: after ``timeout`` seconds of real time.

        """
        async with asyncio.timeout(timeout):
            while not (found := predicate()):  # noqa: ASYNC110 - time moves the jobs, and signals nobody
                await asyncio.sleep(0.01)
        return found

"""The provider against the stand-in, over real HTTP on loopback, with its runs in a real database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.model.values import Value, Values
from bot.machine import utc_now
from bot.providers.base import BatchRequest, JobReport
from bot.providers.close.kinds import kinds
from bot.providers.close.provider import Close
from bot.providers.http import Bounds
from bot.providers.runs import Runs
from bot.sandbox.close import CloseStandIn
from bot.store.adapters.bulk_run_records import BulkRunRecords
from bot.store.database import Database
from bot.store.migrations import migrate

KIND: Kind = kinds()[0]


class Ahead:
    """A clock that can be set ahead."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def __call__(self) -> datetime:
        """Return the present time."""
        return utc_now() + timedelta(seconds=self.skipped)


@dataclass(kw_only=True)
class Organization:
    """The stand-in, a database, and as many providers over the two as a test opens."""

    close: CloseStandIn
    database: Database
    clock: Ahead = field(default_factory=Ahead)
    #: Seconds that the providers slept; for them the time has passed, for nobody else.
    slept: list[float] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _references: int = 0

    @property
    def book(self) -> BulkRunRecords:
        """The runs."""
        return BulkRunRecords(self.database, "close", self.clock)

    async def open(self, **given: Any) -> Close:
        """Open one more provider; it is closed at the end."""
        provider = self.make(**given)
        self._stack.push_async_callback(provider.aclose)
        return provider

    def make(
        self, *, runs: Runs | None = None, transport: httpx.AsyncBaseTransport | None = None, **given: Any
    ) -> Close:
        """Return a provider that is whose asks to close."""

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            await asyncio.sleep(0)

        given = {
            "api_key": self.close.api_key,
            "sleep": sleep,
            "now": lambda: time.monotonic() + sum(self.slept),
            "bounds": Bounds(timeout=1.0, deadline=2.0, backoff=0.02, longest_backoff=0.1),
        } | given
        return Close(api_url=self.close.url, runs=runs or self.book, transport=transport, **given)

    async def aclose(self) -> None:
        """Close all providers."""
        await self._stack.aclose()

    def batch(self, numbers: Iterable[str], before: Values | None = None, /, **values: Value) -> BatchRequest:
        """Return a batch over ``numbers``; the plan found them as they are now, or as ``before`` says."""
        self._references += 1
        found = [self.close.number(e164) for e164 in numbers]
        return BatchRequest(
            kind=KIND,
            numbers=tuple((number.id, number.number) for number in found),
            values=values,
            reference=f"1/{self._references}",
            before={
                number.id: {name: plain(getattr(number, name)) for name in values} | dict(before or {})
                for number in found
            },
        )

    def updates(self) -> list[tuple[str, dict[str, object]]]:
        """Return what took effect."""
        return [(update.number, dict(update.settings)) for update in self.close.updates]


def plain(value: object) -> Any:
    """Return a stand-in's value as the domain has it."""
    return tuple(value) if isinstance(value, list) else value


async def over(provider: Close, job: JobReport, within: float = 60.0) -> JobReport:
    """Poll until the job is over."""
    async with asyncio.timeout(within):
        while not (job := await provider.poll(job.id)).state.over:  # noqa: ASYNC110 - polling is what is tested
            await asyncio.sleep(0.01)
    return job


async def find(provider: Close, target: Target, *names: str) -> dict[str, Snapshot]:
    """Return what is found, by number."""
    found: dict[str, Snapshot] = {}
    async for snapshot in provider.find(target, names, KIND):
        assert snapshot.e164 not in found, "a number was streamed twice"
        found[snapshot.e164] = snapshot
    return found


@pytest.fixture
async def organization(tmp_path: Path) -> AsyncIterator[Organization]:
    """Return an empty organization."""
    async with (
        CloseStandIn(api_key="api_right", access_token="oauth_right") as close,
        Database(f"sqlite+aiosqlite:///{tmp_path}/linesman.db") as database,
    ):
        await migrate(database)
        opened = Organization(close=close, database=database)
        try:
            yield opened
        finally:
            await opened.aclose()


@pytest.fixture
def calls(organization: Organization) -> Callable[[str], int]:
    """Give a function that counts the calls of a method."""

    def count(method: str) -> int:
        return sum(call.method == method for call in organization.close.calls)

    return count

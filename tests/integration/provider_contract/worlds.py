"""A provider and its stand-in, seen alike whichever company it is."""

# ruff: noqa: D102 - methods that override have the docstrings of World
from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.machine import utc_now
from bot.providers.base import BatchRequest, JobReport, Provider
from bot.providers.close.provider import Close
from bot.providers.http import Bounds
from bot.providers.telnyx.provider import Telnyx
from bot.sandbox.close import CloseStandIn
from bot.sandbox.telnyx import TelnyxStandIn
from bot.store.adapters.bulk_run_records import BulkRunRecords
from bot.store.database import Database
from bot.store.migrations import migrate

FIRST = "+13035550100"
HURRY = Bounds(timeout=2.0, deadline=3.0, concurrency=8, backoff=0.02, longest_backoff=0.1)


@dataclass(kw_only=True)
class World(ABC):
    """One company: the provider as the workflow knows it, and what a test does behind its back."""

    provider: Provider
    #: A setting of free text, and one whose values are ids with names.
    text: str
    lookup: str
    #: A filter by digits that are adjacent in the number.
    digits: str
    references: int = field(default=0)

    @property
    def kind(self) -> Kind:
        """The first kind."""
        return self.provider.kinds[0]

    @abstractmethod
    def add(self, count: int, text: str) -> Sequence[str]:
        """Give the account consecutive numbers from FIRST on that have ``text``, and return them in E.164."""

    @abstractmethod
    def id_of(self, e164: str) -> str:
        """Return the provider's id of a number."""

    @abstractmethod
    def named(self, *names: str) -> Sequence[str]:
        """Give the account things that the lookup setting can hold, and return their ids."""

    @abstractmethod
    def text_of(self, e164: str) -> object:
        """Return what the number has as its text now."""

    @abstractmethod
    def spoil(self, e164: str, why: str) -> None:
        """Have changes of one number refused."""

    @abstractmethod
    def trouble(self, **fault: Any) -> None:
        """Order a fault on the wire, for whatever is asked next."""

    @abstractmethod
    def wrong_key(self) -> Provider:
        """Return a provider for the same account with a key that it does not know."""

    async def end(self, job: JobReport) -> JobReport:
        """Let the job come to its end and return it."""
        async with asyncio.timeout(60):
            while not (job := await self.provider.poll(job.id)).state.over:
                self.hasten()
                await asyncio.sleep(0.01)
        return job

    def hasten(self) -> None:  # noqa: B027 - only one of them has a clock to turn
        """Skip the time that a job takes."""

    def batch(self, numbers: Iterable[str], text: str) -> BatchRequest:
        """Return a batch that sets the text of ``numbers``."""
        self.references += 1
        pairs = tuple((self.id_of(e164), e164) for e164 in numbers)
        return BatchRequest(
            kind=self.kind,
            numbers=pairs,
            values={self.text: text},
            reference=f"1/{self.references}",
            before={id_: {self.text: self.text_of(e164)} for id_, e164 in pairs},  # type: ignore[dict-item]  # it is text
        )

    async def find(self, target: Target, *names: str) -> list[Snapshot]:
        """Return what the provider finds, in the order of the numbers."""
        found = [snapshot async for snapshot in self.provider.find(target, names or (self.text,), self.kind)]
        return sorted(found, key=lambda snapshot: snapshot.e164)


@dataclass(kw_only=True)
class TelnyxWorld(World):
    """Telnyx."""

    standing_in: TelnyxStandIn

    def add(self, count: int, text: str) -> Sequence[str]:
        added = self.standing_in.add_numbers(count, start=FIRST, customer_reference=text)
        return [number.phone_number for number in added]

    def id_of(self, e164: str) -> str:
        return self.standing_in.number(e164).id

    def named(self, *names: str) -> Sequence[str]:
        return [self.standing_in.add_connection(name).id for name in names]

    def text_of(self, e164: str) -> object:
        return self.standing_in.number(e164).customer_reference

    def spoil(self, e164: str, why: str) -> None:
        self.standing_in.fail(e164, detail=why)

    def trouble(self, **fault: Any) -> None:
        self.standing_in.faults.add(**fault)

    def wrong_key(self) -> Provider:
        return Telnyx(api_key="KEY0wrong", api_url=self.standing_in.url, bounds=HURRY)

    def hasten(self) -> None:
        self.standing_in.advance(10)


@dataclass(kw_only=True)
class CloseWorld(World):
    """Close."""

    standing_in: CloseStandIn

    def add(self, count: int, text: str) -> Sequence[str]:
        return [number.number for number in self.standing_in.add_numbers(count, start=FIRST, label=text)]

    def id_of(self, e164: str) -> str:
        return self.standing_in.number(e164).id

    def named(self, *names: str) -> Sequence[str]:
        return [self.standing_in.add_group(name).id for name in names]

    def text_of(self, e164: str) -> object:
        return self.standing_in.number(e164).label

    def spoil(self, e164: str, why: str) -> None:
        self.standing_in.fail(e164, field="label", text=why)

    def trouble(self, **fault: Any) -> None:
        self.standing_in.faults.add(**fault)

    def wrong_key(self) -> Provider:
        return Close(api_key="api_wrong", api_url=self.standing_in.url, bounds=HURRY, runs=None)


@asynccontextmanager
async def telnyx_world(_folder: Path) -> AsyncIterator[World]:
    """Give Telnyx, with jobs that take a minute of the stand-in's own time."""
    async with (
        TelnyxStandIn(api_key="KEY0right", job_seconds=60.0) as standing_in,
        Telnyx(api_key="KEY0right", api_url=standing_in.url, bounds=HURRY) as provider,
    ):
        yield TelnyxWorld(
            provider=provider,
            standing_in=standing_in,
            text="customer_reference",
            lookup="connection_id",
            digits="phone_number",
        )


@asynccontextmanager
async def close_world(folder: Path) -> AsyncIterator[World]:
    """Give Close, with its runs in a database."""
    async with (
        CloseStandIn(api_key="api_right") as standing_in,
        Database(f"sqlite+aiosqlite:///{folder}/linesman.db") as database,
    ):
        await migrate(database)
        runs = BulkRunRecords(database, "close", utc_now)
        async with Close(api_key="api_right", api_url=standing_in.url, runs=runs, bounds=HURRY) as provider:
            yield CloseWorld(
                provider=provider,
                standing_in=standing_in,
                text="label",
                lookup="participant_groups",
                digits="number",
            )

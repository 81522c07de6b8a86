"""The parts that every module of the workflow is given."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.changes.model.change import Change
from bot.changes.model.encryption import Encryption
from bot.changes.model.start import begins_at
from bot.changes.outcome.poll_schedule import PollPace
from bot.changes.policy import Policies, Policy
from bot.clock_skew import ServiceClock
from bot.machine import chance, steady
from bot.providers.catalogue import Catalogue
from bot.store.database import Database
from bot.workflow.health import Health, TaskFailures
from bot.workflow.ports import Clock, Directory, Files, Slack


class Wakeup:
    """Wakes a loop that waits for due work, so that work due now does not wait for the next poll."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiting loop."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until the bell rings, ``seconds`` at the most."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        finally:
            self._rung.clear()


class CommitSignal:
    """Tells all waiting tasks that something was committed."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake all that wait now."""
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the next commit, ``seconds`` at the most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._next.wait()


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long things may take."""

    poll: PollPace
    #: Least pause between two edits of one card.
    card: timedelta
    #: How long the job of an unanswered submission is searched for before the batch may be sent again.
    reconcile: timedelta
    #: How long a job may stand still, or an unanswered submission stay unclear, before operators are told.
    stuck: timedelta
    #: How long a plan waits for "Request approval" before it is discarded.
    plan_ttl: timedelta = timedelta(hours=1)
    #: How long a claim lasts without being renewed.
    lease: timedelta = timedelta(seconds=60)
    #: How long a request that changes something may be under way, counted from when it was written down.
    under_way: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Context:
    """The parts that the workflow works with."""

    database: Database
    catalogue: Catalogue
    directory: Directory
    files: Files
    #: What Slack tells us besides its answers.
    slack: Slack
    policies: Policies
    timing: Timing
    clock: Clock
    #: Slack's clock, as its answers show it; each provider has its own.
    slack_clock: ServiceClock
    #: Seals secrets; None without LINESMAN_SECRET_KEY, and then no kind has secret settings.
    encryption: Encryption | None
    #: How long a change is kept whole after its end; None for always.
    retention: timedelta | None = None
    #: Rung when work has become due.
    task_wakeup: Wakeup = field(default_factory=Wakeup)
    #: Rung when a message has become due.
    outbox_wakeup: Wakeup = field(default_factory=Wakeup)
    #: Rung when the content of Home tabs may have changed.
    home_wakeup: Wakeup = field(default_factory=Wakeup)
    #: Told when anything was committed.
    news: CommitSignal = field(default_factory=CommitSignal)
    #: Troubles that the people who run Linesman must look at.
    health: Health = field(default_factory=Health)
    #: Seconds of a steady clock, whatever the wall clock is set to.
    steady: Callable[[], float] = steady
    #: Random numbers from 0 to 1.
    chance: Callable[[], float] = chance
    #: Work that keeps failing.
    task_failures: TaskFailures = field(default_factory=TaskFailures)
    #: Missing tasks that the sweep has restored, by name.
    healed: Counter[str] = field(default_factory=Counter)
    #: Numbers of changes that this process has seen carried out, by kind and outcome.
    operations_ended: Counter[tuple[str, ...]] = field(default_factory=Counter)

    @property
    def clocks(self) -> Mapping[str, ServiceClock]:
        """The clocks of all services: Slack's, each provider's by name, and a database server's."""
        database = self.database.server_clock
        return {
            "slack": self.slack_clock,
            **{each.name: each.clock for each in self.catalogue.providers},
            **({"database": database} if database is not None else {}),
        }

    def governing(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now, or the policy from the environment when there is none.

        It says where and how people are told of the change; Authorization says who may do what.
        """
        return self.policies.terms(change.kind, change.size, change.names)

    def window_opens(self, change: Change) -> datetime | None:
        """Return when the change window of ``change`` opens; None while it is open, or without a window."""
        return begins_at(None, self.governing(change).windows, self.clock())

    @property
    def slack_time(self) -> str:
        """The latest known time at Slack, as the ``ts`` of a message; empty before its first answer."""
        now = self.slack_clock.earliest
        return f"{now.timestamp():.6f}" if now else ""

    @property
    def skews(self) -> Sequence[str]:
        """What people should know about clocks that differ from ours; empty when all agree."""
        return [clock.skew for clock in self.clocks.values() if clock.skew]

    def ring(self) -> None:
        """Wake all loops: a commit may have made work or messages due, or may show on Home tabs."""
        self.task_wakeup.ring()
        self.outbox_wakeup.ring()
        self.home_wakeup.ring()
        self.news.tell()

"""What every part of the workflow is given."""

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
    """Wakes a loop that waits for due work, so that what is due now does not wait for the next look."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits."""
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
    """Tells everybody who waits that something was committed."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake all who wait now."""
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the next news, ``seconds`` at the most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._next.wait()


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long things may take."""

    poll: PollPace
    #: Least pause between two edits of one card.
    card: timedelta
    #: How long an unanswered job creation is searched for before it may be sent again.
    reconcile: timedelta
    #: How long a job may stand still, and an unanswered submission stay unclear, before operators hear of it.
    stuck: timedelta
    #: How long a plan waits for "Request approval" before it is discarded.
    plan_ttl: timedelta = timedelta(hours=1)
    #: How long a claim lasts without being renewed.
    lease: timedelta = timedelta(seconds=60)
    #: How long a request that changes something may be under way, from the moment that this was written down.
    under_way: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Context:
    """The parts that the workflow works with."""

    database: Database
    catalogue: Catalogue
    directory: Directory
    files: Files
    #: What Slack lets us know besides its answers.
    slack: Slack
    policies: Policies
    timing: Timing
    clock: Clock
    #: Slack's clock, as its answers show it; each provider has its own.
    slack_clock: ServiceClock
    #: Seals secrets; None when LINESMAN_SECRET_KEY is not set, and then no kind has secret settings.
    encryption: Encryption | None
    #: How long a change is kept whole after its end; None for ever.
    retention: timedelta | None = None
    #: Rung when work became due.
    task_wakeup: Wakeup = field(default_factory=Wakeup)
    #: Rung when a message became due.
    outbox_wakeup: Wakeup = field(default_factory=Wakeup)
    #: Rung when what people see on their Home tabs may have changed.
    home_wakeup: Wakeup = field(default_factory=Wakeup)
    #: Told when anything was committed.
    news: CommitSignal = field(default_factory=CommitSignal)
    #: What those who run Linesman have to look at.
    health: Health = field(default_factory=Health)
    #: Seconds that count steadily, whatever the clock is set to.
    steady: Callable[[], float] = steady
    #: Numbers from 0 to 1.
    chance: Callable[[], float] = chance
    #: What fails again and again.
    task_failures: TaskFailures = field(default_factory=TaskFailures)
    #: Missing tasks that the sweep has put back, by name.
    healed: Counter[str] = field(default_factory=Counter)
    #: Numbers of changes that finished here since the start, by kind and outcome.
    operations_ended: Counter[tuple[str, ...]] = field(default_factory=Counter)

    @property
    def clocks(self) -> Mapping[str, ServiceClock]:
        """The clocks of all services: Slack's, the providers' by their names, and a database server's."""
        database = self.database.server_clock
        return {
            "slack": self.slack_clock,
            **{each.name: each.clock for each in self.catalogue.providers},
            **({"database": database} if database is not None else {}),
        }

    def governing(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now, or the policy of the variables when none does.

        It says where people are told of the change and how; whether somebody may do something, Authorization says.
        """
        return self.policies.terms(change.kind, change.size, change.names)

    def window_opens(self, change: Change) -> datetime | None:
        """Return when the change window of ``change`` opens; None while it is open, or when it has none."""
        return begins_at(None, self.governing(change).windows, self.clock())

    @property
    def slack_time(self) -> str:
        """The time at Slack at least, as the ``ts`` of a message of this moment; empty before its first answer."""
        now = self.slack_clock.earliest
        return f"{now.timestamp():.6f}" if now else ""

    @property
    def skews(self) -> Sequence[str]:
        """What there is to say about clocks that differ from ours; empty when all agree."""
        return [clock.skew for clock in self.clocks.values() if clock.skew]

    def ring(self) -> None:
        """Wake all loops: something was committed that may have made work or messages due, or shows on Home tabs."""
        self.task_wakeup.ring()
        self.outbox_wakeup.ring()
        self.home_wakeup.ring()
        self.news.tell()

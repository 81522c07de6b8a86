"""The content of ``/metrics``, following Prometheus' conventions.

There are three sorts of figures: this process's counts and times; its current troubles; and the content of the whole
database, which survives a restart. Only one replica reports the last sort at a time, so that a sum over all replicas is
right; it is left out while the database does not answer, as unknown is not 0.
"""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from bot.changes.model.batches import Tally
from bot.changes.model.lifecycle import ChangeState
from bot.errors import StoreError
from bot.store.queue.tasks import Task
from bot.telemetry.call_times import CallTimes
from bot.workflow.context import Context
from bot.workflow.health import Health


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, as Prometheus and .github/OPERATING.md name it."""

    name: str
    sort: str
    meaning: str
    labels: tuple[str, ...] = ()


CHANGES: Final = Metric("linesman_changes", "gauge", "Changes in each state", ("state",))
JOBS: Final = Metric("linesman_jobs_in_flight", "gauge", "Linesman's own jobs at the provider", ("kind",))
CAPS: Final = Metric("linesman_jobs_in_flight_limit", "gauge", "Jobs that the provider allows at a time", ("kind",))
TASKS: Final = Metric("linesman_work", "gauge", "Tasks that wait or run", ("task",))
UNDELIVERED: Final = Metric("linesman_outbox_undelivered", "gauge", "Slack messages not delivered yet")
OLDEST: Final = Metric(
    "linesman_outbox_oldest_undelivered_seconds", "gauge", "Age of the oldest Slack message not delivered yet"
)
REFUSED: Final = Metric(
    "linesman_outbox_refused", "gauge", "Slack messages given up because Slack refused them everywhere"
)
REPORTING: Final = Metric(
    "linesman_database_reporter", "gauge", "1 on the replica that reports the figures of the whole database"
)
TROUBLE: Final = Metric(
    "linesman_trouble", "gauge", "1 where something needs attention now: database, slack or work", ("where",)
)
FAILING: Final = Metric("linesman_failing_work", "gauge", "Tasks and messages that fail again and again", ("what",))
SKEW: Final = Metric(
    "linesman_clock_skew_seconds", "gauge", "This machine's clock minus the service's clock", ("service",)
)
HEALED: Final = Metric(
    "linesman_healed_total", "counter", "Tasks that were missing and that the sweep has put back", ("task",)
)
OPERATIONS: Final = Metric(
    "linesman_operations_total", "counter", "Numbers of changes that were carried out, by outcome", ("kind", "outcome")
)
PROVIDER: Final = Metric(
    "linesman_provider_request_duration_seconds",
    "histogram",
    "HTTP calls to providers",
    ("provider", "method", "endpoint", "status"),
)
SLACK: Final = Metric(
    "linesman_slack_request_duration_seconds", "histogram", "Calls of Slack's API", ("method", "status")
)
ACKS: Final = Metric("linesman_ack_duration_seconds", "histogram", "Answers to what Slack delivers", ("type", "status"))
WAITS: Final = Metric("linesman_rate_limit_wait_seconds", "summary", "Waits for rate limits", ("service", "endpoint"))
BUILD: Final = Metric(
    "linesman_build_info", "gauge", "Version of Linesman and of Python; always 1", ("version", "python")
)
#: Every metric, in the order of the table in .github/OPERATING.md. Process metrics come from ``prometheus-client``.
METRICS: Final = (
    CHANGES,
    JOBS,
    CAPS,
    TASKS,
    UNDELIVERED,
    OLDEST,
    REFUSED,
    REPORTING,
    TROUBLE,
    FAILING,
    SKEW,
    HEALED,
    OPERATIONS,
    PROVIDER,
    SLACK,
    ACKS,
    WAITS,
    BUILD,
)

#: Troubles that stop work or clicks: the place, one of those of :class:`Health`, and the trouble.
Troubles: TypeAlias = Sequence[tuple[str, str]]

#: Longest wait for the database, in seconds; Prometheus gives up after ten by default.
WITHIN: Final = 5.0


class Figures(Collector):
    """The figures read for one answer."""

    def __init__(self) -> None:
        self._families: list[Family] = []

    def tell(self, metric: Metric, values: Mapping[tuple[str, ...], float]) -> None:
        """Add a metric with the values of its labels."""
        family = self._family(metric)
        for labels, value in values.items():
            family.add_sample(metric.name, dict(zip(metric.labels, labels, strict=True)), value)

    def tell_samples(self, metric: Metric, found: Iterable[tuple[Mapping[str, str], Iterable[Sample]]]) -> None:
        """Add samples that were collected under another name, each with more labels."""
        family = self._family(metric)
        for more, samples in found:
            for sample in samples:
                ending = sample.name[sample.name.rindex("_") :]
                if ending != "_created":  # process_start_time_seconds says when a process began
                    family.add_sample(metric.name + ending, {**more, **sample.labels}, sample.value)

    def collect(self) -> Iterator[Family]:
        """Yield the added metrics."""
        yield from self._families

    def _family(self, metric: Metric) -> Family:
        family = Family(metric.name.removesuffix("_total"), metric.meaning, metric.sort)
        self._families.append(family)
        return family


async def render(context: Context, acks: CallTimes, replica: str, troubles: Troubles) -> bytes:
    """Return the metrics in Prometheus' text format; without the database's while it does not answer."""
    figures, stuck, reporting = Figures(), "", False
    try:
        async with asyncio.timeout(WITHIN):
            reporting = await _reports(context, replica)
            if reporting:
                stuck = await _count(context, figures)
    except (StoreError, TimeoutError):
        reporting = False
    figures.tell(REPORTING, {(): reporting})
    there = {where for where, _ in troubles} | ({Health.SLACK} if stuck else set())
    figures.tell(TROUBLE, {(where,): where in there for where in (Health.DATABASE, Health.SLACK, Health.WORK)})
    figures.tell(FAILING, _by_name(Counter(fault.what for fault in context.task_failures.present)))
    figures.tell(SKEW, _by_name({name: clock.seconds for name, clock in context.clocks.items()}))
    # From 0 on: for a counter first seen with a value, Prometheus would miss the increase to that value.
    figures.tell(HEALED, {(task.value,): context.healed[task.value] for task in Task})
    counted: dict[tuple[str, ...], float] = {
        (kind.name, outcome): 0 for kind in context.catalogue.kinds for outcome in Tally().counts
    }
    figures.tell(OPERATIONS, {**counted, **context.operations_ended})
    providers = [({"provider": each.name}, each.calls) for each in context.catalogue.providers]
    figures.tell_samples(PROVIDER, [(name, calls.times()) for name, calls in providers])
    figures.tell_samples(SLACK, [({}, context.slack.calls.times())])
    figures.tell_samples(ACKS, [({}, acks.times())])
    waits = [({"service": name["provider"]}, calls.waits()) for name, calls in providers]
    figures.tell_samples(WAITS, [*waits, ({"service": "slack"}, context.slack.calls.waits())])
    figures.tell(BUILD, {(version("linesman"), platform.python_version()): 1})
    return _written(figures)


def starting() -> bytes:
    """Return the metrics available before anything runs: those of the process itself."""
    figures = Figures()
    figures.tell(REPORTING, {(): False})
    figures.tell(BUILD, {(version("linesman"), platform.python_version()): 1})
    return _written(figures)


def _written(figures: Figures) -> bytes:
    registry = CollectorRegistry()
    registry.register(figures)
    ProcessCollector(registry=registry)
    return generate_latest(registry)


async def leave(context: Context, replica: str) -> None:
    """Let another replica report for all from now on; otherwise that takes a while."""
    if context.database.shared and not context.database.trouble:
        with suppress(StoreError):
            async with context.database.transaction() as tx:
                await tx.reporter.leave(replica)


async def _reports(context: Context, replica: str) -> bool:
    """Tell whether this replica reports for all; on PostgreSQL the last reporter keeps the role while it is asked."""
    if not context.database.shared:
        return True
    async with context.database.transaction() as tx:
        return await tx.reporter.take(replica)


async def _count(context: Context, figures: Figures) -> str:
    """Report the counts in the database, all at one moment, and return the stuck work there."""
    kinds = context.catalogue.kinds
    async with context.database.reading() as tx:
        counts, stuck = await tx.changes.count(), await tx.outbox.stuck()
        jobs = {kind.name: await tx.job_slots.in_flight(kind.name) for kind in kinds}
        tasks = {task.value: await tx.tasks.count(task) for task in Task}
        undelivered, refused = await tx.outbox.undelivered(), await tx.outbox.refused()
        waiting_since = await tx.outbox.waiting_since()
    figures.tell(CHANGES, {(state.value,): counts.get(state, 0) for state in ChangeState})
    figures.tell(JOBS, _by_name(jobs))
    figures.tell(CAPS, {(kind.name,): kind.jobs_in_flight for kind in kinds})
    figures.tell(TASKS, _by_name(tasks))
    figures.tell(UNDELIVERED, {(): undelivered})
    age = (context.clock() - waiting_since).total_seconds() if waiting_since else 0.0
    figures.tell(OLDEST, {(): max(0.0, age)})
    figures.tell(REFUSED, {(): refused})
    return stuck


def _by_name(values: Mapping[str, float]) -> Mapping[tuple[str, ...], float]:
    return {(name,): value for name, value in values.items()}

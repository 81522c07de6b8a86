"""What ``/metrics`` says, read from the database when it is asked for, so that it is true after a restart."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bot.changes.model.lifecycle import ChangeState
from bot.errors import DatabaseUnavailable
from bot.store.tasks import Task
from bot.workflow.context import Context
from bot.workflow.health import Health


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, as Prometheus and the README name it; all are gauges."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


CHANGES: Final = Metric("linesman_changes", "Changes in each state", ("state",))
JOBS: Final = Metric("linesman_jobs_in_flight", "Linesman's own jobs at the provider", ("kind",))
TASKS: Final = Metric("linesman_work", "Tasks that wait or run", ("task",))
CALLS: Final = Metric(
    "linesman_provider_calls", "HTTP calls to providers since the start", ("provider", "method", "path", "status")
)
UNDELIVERED: Final = Metric("linesman_outbox_undelivered", "Slack messages not delivered yet")
REFUSED: Final = Metric("linesman_outbox_refused", "Slack messages given up because Slack refused them everywhere")
TROUBLE: Final = Metric("linesman_trouble", "1 where something needs attention now: database or slack", ("where",))
FAILING: Final = Metric("linesman_failing_work", "Tasks and messages that fail again and again", ("what",))
SKEW: Final = Metric("linesman_clock_skew_seconds", "This machine's clock minus the service's clock", ("service",))
#: Every metric, in the order of the README's table.
METRICS: Final = (CHANGES, JOBS, TASKS, CALLS, UNDELIVERED, REFUSED, TROUBLE, FAILING, SKEW)


#: Seconds for which the database is waited for; Prometheus gives up after ten by default.
WITHIN: Final = 5.0
#: Those that are counted in the database.
COUNTED: Final = (CHANGES, JOBS, TASKS, UNDELIVERED, REFUSED)


async def render(context: Context) -> bytes:
    """Return the metrics in Prometheus' text format; without those of the database while it does not answer."""
    registry = CollectorRegistry()
    try:
        async with asyncio.timeout(WITHIN):
            counted = await _counted(context, registry)
    except (DatabaseUnavailable, TimeoutError):  # what cannot be asked for now is left out: it is not 0
        counted = ""
    gauges: Mapping[Metric, Gauge] = {metric: _gauge(metric, registry) for metric in METRICS if metric not in COUNTED}
    for provider in context.catalogue.providers:
        for call, count in provider.calls.items():
            gauges[CALLS].labels(provider.name, call.method, call.path, call.status).set(count)
    gauges[TROUBLE].labels("database").set(bool(context.database.trouble or context.database.damage))
    for what, count in Counter(fault.what for fault in context.task_failures.present).items():
        gauges[FAILING].labels(what).set(count)
    for name, clock in context.clocks.items():
        gauges[SKEW].labels(name).set(clock.seconds)
    gauges[TROUBLE].labels(Health.SLACK).set(bool(counted) or Health.SLACK in context.health.present)
    return generate_latest(registry)


async def _counted(context: Context, registry: CollectorRegistry) -> str:
    """Add what is counted in the database, all of it at one moment, and return what is stuck there."""
    async with context.database.reading() as tx:
        counts, stuck = await tx.changes.count(), await tx.outbox.stuck()
        jobs = {kind.name: await tx.batches.in_flight(kind.name) for kind in context.catalogue.kinds}
        tasks = {task.value: await tx.tasks.count(task) for task in Task}
        undelivered, refused = await tx.outbox.undelivered(), await tx.outbox.refused()
    gauges: Mapping[Metric, Gauge] = {metric: _gauge(metric, registry) for metric in COUNTED}
    for state in ChangeState:
        gauges[CHANGES].labels(state.value).set(counts.get(state, 0))
    for metric, by_name in ((JOBS, jobs), (TASKS, tasks)):
        for name, count in by_name.items():
            gauges[metric].labels(name).set(count)
    gauges[UNDELIVERED].set(undelivered)
    gauges[REFUSED].set(refused)
    return stuck


def _gauge(metric: Metric, registry: CollectorRegistry) -> Gauge:
    return Gauge(metric.name, metric.meaning, metric.labels, registry=registry)

"""What ``/metrics`` says, read from the database when it is asked for, so that it is true after a restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bot.changes.model.lifecycle import ChangeState
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


async def render(context: Context) -> bytes:
    """Return the metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    gauges: Mapping[Metric, Gauge] = {
        metric: Gauge(metric.name, metric.meaning, metric.labels, registry=registry) for metric in METRICS
    }
    for provider in context.catalogue.providers:
        for call, count in provider.calls.items():
            gauges[CALLS].labels(provider.name, call.method, call.path, call.status).set(count)
    gauges[TROUBLE].labels("database").set(bool(context.database.trouble or context.database.damage))
    for what, count in Counter(fault.what for fault in context.task_failures.present).items():
        gauges[FAILING].labels(what).set(count)
    for name, clock in context.clocks.items():
        gauges[SKEW].labels(name).set(clock.seconds)
    async with context.database.reading() as tx:
        counts = await tx.changes.count()
        for state in ChangeState:
            gauges[CHANGES].labels(state.value).set(counts.get(state, 0))
        for kind in context.catalogue.kinds:
            gauges[JOBS].labels(kind.name).set(await tx.batches.in_flight(kind.name))
        for task in Task:
            gauges[TASKS].labels(task.value).set(await tx.tasks.count(task))
        gauges[UNDELIVERED].set(await tx.outbox.undelivered())
        gauges[REFUSED].set(await tx.outbox.refused())
        stuck = await tx.outbox.stuck()
    gauges[TROUBLE].labels(Health.SLACK).set(bool(stuck) or Health.SLACK in context.health.present)
    return generate_latest(registry)

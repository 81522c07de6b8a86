"""What ``/metrics`` tells, read from the database at the moment of the question, so that it is true after a restart."""

from __future__ import annotations

from collections import Counter

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bot.changes.model.lifecycle import ChangeState
from bot.store.tasks import Task
from bot.workflow.context import Context
from bot.workflow.health import Health


async def render(context: Context) -> bytes:
    """Return the figures in Prometheus' text format."""
    registry = CollectorRegistry()
    changes = Gauge("linesman_changes", "Changes by state", ["state"], registry=registry)
    jobs = Gauge("linesman_jobs_in_flight", "Jobs of ours at the provider", ["kind"], registry=registry)
    due = Gauge("linesman_work", "Tasks waiting or at work", ["task"], registry=registry)
    calls = Gauge(
        "linesman_provider_calls",
        "HTTP calls to providers since the start",
        ["provider", "method", "path", "status"],
        registry=registry,
    )
    for provider in context.catalogue.providers:
        for call, count in provider.calls.items():
            calls.labels(provider.name, call.method, call.path, call.status).set(count)
    outbox = Gauge("linesman_outbox_undelivered", "Slack messages that wait", registry=registry)
    refused = Gauge("linesman_outbox_refused", "Slack messages given up, refused everywhere", registry=registry)
    trouble = Gauge("linesman_trouble", "1 for each place that needs looking after", ["where"], registry=registry)
    trouble.labels("database").set(bool(context.database.trouble or context.database.damage))
    failing = Gauge("linesman_failing_work", "Pieces of work that fail again and again", ["what"], registry=registry)
    for what, count in Counter(fault.what for fault in context.task_failures.present).items():
        failing.labels(what).set(count)
    skews = Gauge("linesman_clock_skew_seconds", "Our clock minus a service's", ["service"], registry=registry)
    for name, clock in context.clocks.items():
        skews.labels(name).set(clock.seconds)
    async with context.database.reading() as tx:
        counts = await tx.changes.count()
        for state in ChangeState:
            changes.labels(state.value).set(counts.get(state, 0))
        for kind in context.catalogue.kinds:
            jobs.labels(kind.name).set(await tx.batches.in_flight(kind.name))
        for task in Task:
            due.labels(task.value).set(await tx.tasks.count(task))
        outbox.set(await tx.outbox.undelivered())
        refused.set(await tx.outbox.refused())
        stuck = await tx.outbox.stuck()
    trouble.labels(Health.SLACK).set(bool(stuck) or Health.SLACK in context.health.present)
    return generate_latest(registry)

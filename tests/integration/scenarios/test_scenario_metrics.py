"""What Prometheus gets: by its conventions, and true."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from bot.endpoints.metrics import METRICS
from bot.store.queue.tasks import Task
from tests.integration.scenarios.stage import Stage


async def families(stage: Stage) -> dict[str, Metric]:
    """Return what ``/metrics`` tells, as Prometheus reads it."""
    status, told = await stage.get("/metrics")
    assert status == 200
    return {family.name: family for family in text_string_to_metric_families(told)}


def value(family: Metric, ending: str = "", **labels: str) -> float:
    """Return the sum of the samples that have these labels."""
    return sum(
        sample.value
        for sample in family.samples
        if sample.name == family.name + ending and labels.items() <= sample.labels.items()
    )


async def test_a_change_is_counted_and_timed(stage: Stage) -> None:
    """Every metric that operators read of is there, in its sort; a change leaves its calls, acks, and outcomes."""
    numbers = [stage.telnyx.add_number(f"+1303555010{digit}").phone_number for digit in range(3)]
    await stage.run(numbers)

    told = await families(stage)

    for metric in METRICS:
        assert told[metric.name.removesuffix("_total")].type == metric.sort
        assert metric.name.endswith("_total") == (metric.sort == "counter")
    assert value(told["linesman_operations"], "_total", kind="telnyx.settings", outcome="verified") == 3
    assert value(told["linesman_operations"], "_total", outcome="failed") == 0
    made = told["linesman_provider_request_duration_seconds"]
    assert value(made, "_count", provider="telnyx", method="POST", status="202") == 1
    assert value(made, "_count") == len(stage.telnyx.calls)
    assert value(told["linesman_slack_request_duration_seconds"], "_count", method="chat.postMessage", status="ok") > 1
    assert value(told["linesman_ack_duration_seconds"], "_count", type="view_submission", status="200") >= 1
    assert value(told["linesman_ack_duration_seconds"], "_count", type="command") >= 1
    assert value(told["linesman_jobs_in_flight_limit"], kind="telnyx.settings") == 20
    assert value(told["linesman_build_info"], version=version("linesman")) == 1
    assert value(told["linesman_database_reporter"]) == 1
    assert value(told["linesman_outbox_oldest_undelivered_seconds"]) == 0
    assert value(told["process_resident_memory_bytes"]) > 0
    assert [name for name in told if name.endswith("_created")] == []


async def test_counters_begin_at_zero(stage: Stage) -> None:
    """Every counter is there from the start: of one that is first seen with a value, no alert sees the increase."""
    told = await families(stage)

    assert {(sample.labels["outcome"], sample.value) for sample in told["linesman_operations"].samples} == {
        (outcome, 0) for outcome in ("verified", "differs", "unverified", "failed", "not_attempted")
    }
    assert {sample.labels["kind"] for sample in told["linesman_operations"].samples} >= {"telnyx.settings"}
    assert {(sample.labels["task"], sample.value) for sample in told["linesman_healed"].samples} == {
        (task.value, 0) for task in Task
    }


async def test_a_wait_for_a_rate_limit_is_told(stage: Stage) -> None:
    """Slack asks to wait; how often and for how long is in the figures."""
    stage.slack.faults.add(method="chat.postMessage", kind="rate_limited", retry_after=1)
    number = stage.telnyx.add_number("+13035550199").phone_number
    await stage.run([number])

    waits = (await families(stage))["linesman_rate_limit_wait_seconds"]

    assert value(waits, "_count", service="slack", endpoint="chat.postMessage") >= 1
    assert value(waits, "_sum", service="slack", endpoint="chat.postMessage") == pytest.approx(1, abs=1)

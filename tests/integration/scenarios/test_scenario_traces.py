"""A change is one trace, from the click that asks for it to the last message, through a restart."""

from __future__ import annotations

import gzip
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot.errors import ConfigurationError
from bot.sandbox.close import CloseStandIn, Fixtures
from bot.telemetry import tracing
from tests.integration.scenarios.stage import Stage


@dataclass
class Collector:
    """What an OpenTelemetry collector is to Linesman: it takes spans over HTTP."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    #: Names of the replicas that sent some.
    replicas: set[str] = field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        """Take what is exported."""
        body = await request.read()
        told = ExportTraceServiceRequest.FromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        for resource in told.resource_spans:
            about = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.replicas.add(about["service.instance.id"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return web.Response()

    def of(self, name: str) -> list[Span]:
        """Return the spans whose name begins so."""
        return [span for span in self.spans if span.name.startswith(name)]


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """Return a collector that listens."""
    here = Collector()
    app = web.Application()
    app.add_routes([web.post("/v1/traces", here.take)])
    async with TestServer(app) as server:
        here.url = str(server.make_url("")).rstrip("/")
        yield here


def prove(collector: Collector) -> None:
    """Prove that all that was done for the one change is one trace, and that every span but its first is below one."""
    [begun] = {span.trace_id for span in collector.of("task plan")}
    trace = [span for span in collector.spans if span.trace_id == begun]
    names = {span.name for span in trace}
    ids = {span.span_id for span in trace}

    assert {"click form submission", "click approve", "task plan", "task start", "task submit", "task poll"} <= names
    assert {"task verify", "task finish", "message card", "message results"} <= names
    assert [span.name for span in trace if span.parent_span_id not in ids] == ["click form submission"]
    assert [span.name for span in collector.of("task") if span.trace_id != begun] == ["task prune"] * len(
        [span for span in collector.of("task prune") if span.trace_id != begun]
    )
    assert [span.name for span in collector.of("message") if span.trace_id != begun] == []


async def test_a_change_at_telnyx_through_a_restart(idle: Stage, collector: Collector) -> None:
    """The bot that was stopped after the approval request and the one that carries it out tell of one trace."""
    await idle.start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    change = await idle.ask([idle.telnyx.add_number("+13035550199").phone_number])
    await idle.stop()
    await idle.start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    await idle.approve(change)
    await idle.ended(change)
    await idle.stop()

    prove(collector)
    assert len(collector.replicas) == 2
    [job] = collector.of("POST /phone_numbers/jobs/update_phone_numbers")
    assert {each.key: each.value.int_value for each in job.attributes}["http.response.status_code"] == 202
    [submit] = collector.of("task submit")
    assert (job.trace_id, job.parent_span_id) == (submit.trace_id, submit.span_id)


async def test_a_run_at_close_is_part_of_it(
    both: Stage, close: CloseStandIn, team: Fixtures, collector: Collector
) -> None:
    """Each update of the run is a span of the change's trace."""
    await both.stop()
    await both.start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    await both.open("close")
    await both.fill([number.number for number in team.shared[:2]], reason="The night desk grows")
    await both.choose(["label"])
    await both.set("label", "Night desk")
    await both.send()
    await both.planned()
    change = await both.request()
    await both.approve(change)
    await both.ended(change)
    await both.stop()

    prove(collector)
    assert len(close.updates) == len(collector.of("PUT")) == 2
    assert {span.trace_id for span in collector.of("PUT")} == {span.trace_id for span in collector.of("task plan")}


async def test_without_opentelemetry_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence: what is missing, how to get it, and how to do without."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(ConfigurationError) as caught:
        async with tracing.exporting("http://127.0.0.1:1", "replica"):
            pass

    [problem] = caught.value.problems
    assert problem.startswith("OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: ")


def test_while_it_is_off_nothing_is_imported_or_written() -> None:
    """Whoever has no collector pays nothing."""
    with tracing.click("x"), tracing.span("y"):
        tracing.note("a", 1)
        assert (tracing.here(), tracing.on()) == ("", False)

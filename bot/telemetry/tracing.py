"""The change that a piece of work is about, for the log; and OpenTelemetry traces for installations with a collector.

Without a collector's address, OpenTelemetry is not even imported.

A change is one trace: the click that requests it begins the trace, its row keeps the trace's context in W3C's form
(``traceparent``, w3.org/TR/trace-context), and later work, in any replica, continues it. Spans carry ids, names of
endpoints and statuses: never a number's values, and no text of an error, which may quote a provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from bot.errors import ConfigurationError


@dataclass(slots=True)
class _Subject:
    change: int | None
    trace: str = ""


#: A piece of work is an asyncio task: a click, a due task, a message, a run. Tasks that it starts belong to it.
_SUBJECT: Final[ContextVar[_Subject | None]] = ContextVar("linesman_subject", default=None)


def begin(change: int | None = None) -> None:
    """Begin a piece of work in this asyncio task; ``change`` is its change, if already known."""
    _SUBJECT.set(_Subject(change))


def about(change: int, trace: str = "") -> None:
    """Note that the work is about ``change``, with that ``trace``; later reads of other changes do not count."""
    subject = _SUBJECT.get()
    if subject is not None and subject.change is None:
        subject.change, subject.trace = change, trace


def current() -> int | None:
    """Return the change that the work is about; None if unknown, and outside of any such work."""
    subject = _SUBJECT.get()
    return subject.change if subject is not None else None


def trace() -> str:
    """Return the trace of the work's change, as a ``traceparent``; empty if unknown."""
    subject = _SUBJECT.get()
    return subject.trace if subject is not None else ""


#: Seconds for sending the remaining spans to the collector at the end: a stop has ten for everything.
FAREWELL: Final = 2.0
#: OpenTelemetry's tracer while traces are on. One per process, like logging.
_tracers: Final[list[Any]] = []


@asynccontextmanager
async def exporting(endpoint: str | None, replica: str) -> AsyncIterator[None]:
    """Send traces to the collector at ``endpoint`` (OTLP over HTTP) until the block ends; none if it is None.

    Raises :class:`bot.errors.ConfigurationError` when OpenTelemetry is not installed.
    """
    if endpoint is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - the same
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        problem = (
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: "
            "install it with `pip install 'linesman[otel]'`, or unset the variable."
        )
        raise ConfigurationError([problem]) from error
    about = {"service.name": "linesman", "service.version": version("linesman"), "service.instance.id": replica}
    provider: Any = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=FAREWELL)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("linesman")
    _tracers.append(tracer)
    try:
        yield
    finally:
        _tracers.remove(tracer)
        await asyncio.to_thread(provider.shutdown)


def on() -> bool:
    """Tell whether traces are sent."""
    return bool(_tracers)


@contextmanager
def span(name: str, parent: str = "", attributes: Mapping[str, str | int] | None = None) -> Iterator[None]:
    """Make the block a span: below ``parent`` (a ``traceparent``), or the current one, or of a new trace."""
    if not _tracers:
        yield
        return
    tracer = _tracers[-1]
    manager = tracer.start_as_current_span(
        name,
        context=_context(parent),
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )
    with manager as current:
        try:
            yield
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            raise


@contextmanager
def click(name: str) -> Iterator[None]:
    """Make a click a span of its own trace and, if it turns out to be about a change, also of that change's trace."""
    with span(name):
        began = _began()
        try:
            yield
        finally:
            mine, theirs = here(), trace()
            if mine and theirs and theirs.split("-")[1] != mine.split("-")[1]:
                _tracers[-1].start_span(name, context=_context(theirs), start_time=began).end()


def _began() -> int | None:
    """Return when the current span began, in nanoseconds; None without one."""
    if not _tracers:
        return None
    from opentelemetry.trace import get_current_span  # noqa: PLC0415 - an extra

    began: int | None = getattr(get_current_span(), "start_time", None)
    return began


def note(name: str, value: str | int) -> None:
    """Add an attribute to the current span."""
    if _tracers:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415 - an extra

        get_current_span().set_attribute(name, value)


def here() -> str:
    """Return the context of the current span, as a ``traceparent``; empty without one."""
    if not _tracers:
        return ""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415 - an extra

    current = get_current_span().get_span_context()
    return f"00-{current.trace_id:032x}-{current.span_id:016x}-{current.trace_flags:02x}" if current.is_valid else ""


def _context(parent: str) -> Any:  # noqa: ANN401 - OpenTelemetry's
    if not parent:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - an extra

    return TraceContextTextMapPropagator().extract({"traceparent": parent})

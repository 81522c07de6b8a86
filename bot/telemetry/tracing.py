"""Which change a piece of work is about, for the log, and traces by OpenTelemetry for whoever has a collector.

Without the address of a collector nothing of OpenTelemetry is even imported.

A change is one trace: the click that asks for it begins it, its row keeps the trace's context in W3C's form
(``traceparent``, w3.org/TR/trace-context), and whoever works on it later, in whichever replica, goes on below that.
Spans carry ids, names of endpoints and statuses: never a number's values, and no text of an error, which may quote a
provider.
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


#: A piece of work is a task of asyncio: a click, a due task, a message, a run. What it starts in turn is part of it.
_SUBJECT: Final[ContextVar[_Subject | None]] = ContextVar("linesman_subject", default=None)


def begin(change: int | None = None) -> None:
    """Begin a piece of work in this task of asyncio; ``change`` is what it is about if that is known already."""
    _SUBJECT.set(_Subject(change))


def about(change: int, trace: str = "") -> None:
    """Note that the work is about ``change``, of that ``trace``; what it reads of others later on does not count."""
    subject = _SUBJECT.get()
    if subject is not None and subject.change is None:
        subject.change, subject.trace = change, trace


def current() -> int | None:
    """Return the change that the work is about; None while nobody knows, and outside of any such work."""
    subject = _SUBJECT.get()
    return subject.change if subject is not None else None


def trace() -> str:
    """Return the trace of the change that the work is about, as a ``traceparent``; empty while nobody knows."""
    subject = _SUBJECT.get()
    return subject.trace if subject is not None else ""


#: Seconds for the collector to take what is left at the end: a stop has ten for everything.
FAREWELL: Final = 2.0
#: OpenTelemetry's tracer while traces are on. One for the process, as logging is.
_tracers: Final[list[Any]] = []


@asynccontextmanager
async def exporting(endpoint: str | None, replica: str) -> AsyncIterator[None]:
    """Send traces to the collector at ``endpoint`` (OTLP over HTTP) until the block ends; none when it is None.

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
    """Tell whether traces are sent anywhere."""
    return bool(_tracers)


@contextmanager
def span(name: str, parent: str = "", attributes: Mapping[str, str | int] | None = None) -> Iterator[None]:
    """Let the block be a span: below ``parent`` (a ``traceparent``), or what is under way, or of a new trace."""
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
    """Let a click be a span of its own trace, and, when it turns out to be about a change, of that change's as well."""
    with span(name):
        began = _began()
        try:
            yield
        finally:
            mine, theirs = here(), trace()
            if mine and theirs and theirs.split("-")[1] != mine.split("-")[1]:
                _tracers[-1].start_span(name, context=_context(theirs), start_time=began).end()


def _began() -> int | None:
    """Return when the span that is under way began, in nanoseconds; None when there is none."""
    if not _tracers:
        return None
    from opentelemetry.trace import get_current_span  # noqa: PLC0415 - an extra

    began: int | None = getattr(get_current_span(), "start_time", None)
    return began


def note(name: str, value: str | int) -> None:
    """Add an attribute to the span that is under way."""
    if _tracers:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415 - an extra

        get_current_span().set_attribute(name, value)


def here() -> str:
    """Return the context of the span that is under way, as a ``traceparent``; empty when there is none."""
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

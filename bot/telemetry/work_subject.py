"""Which change a piece of work is about, for the log: known as soon as its row has been read."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


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

"""The result of a check: one sentence and its severity."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)


class Severity(StrEnum):
    """The severity of a finding, at the beginning of its line."""

    #: As it should be.
    OK = "OK"
    #: Allowed, but probably a mistake.
    WARN = "WARN"
    #: Linesman does not work until this is fixed.
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    mark: Severity
    #: For the operator; says what to do unless all is well. Never contains a secret.
    sentence: str

    def __str__(self) -> str:
        return f"{self.mark:<5} {self.sentence}"


def ok(sentence: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Severity.OK, sentence)


def warn(sentence: str) -> Finding:
    """Return a warning."""
    return Finding(Severity.WARN, sentence)


def fail(sentence: str) -> Finding:
    """Return a finding that must be fixed."""
    return Finding(Severity.FAIL, sentence)


async def bounded(looking: Awaitable[Sequence[Finding]], *, what: str, advice: str, limit: float) -> Sequence[Finding]:
    """Await a check for ``limit`` seconds; any error becomes a finding, so that the other checks continue.

    ``what`` begins the sentence ("The database"), ``advice`` ends it when the time is up.
    """
    try:
        async with asyncio.timeout(limit):
            return await looking
    except TimeoutError:
        return [fail(f"{what} could not be checked within {limit:g} s: {advice}.")]
    except Exception as error:  # a check that breaks is a finding too, and the log has the details
        log.exception("check failed", what=what)
        return [fail(f"{what} could not be checked ({type(error).__name__}): read the log above, and report it.")]

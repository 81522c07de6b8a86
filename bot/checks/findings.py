"""What a check finds: one sentence and how severe it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)


class Severity(StrEnum):
    """How severe a finding is, as the line begins."""

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
    #: For the operator; says what to do unless all is well. Never holds a secret.
    sentence: str

    def __str__(self) -> str:
        return f"{self.mark:<5} {self.sentence}"


def ok(sentence: str) -> Finding:
    """Return the finding that something is as it should be."""
    return Finding(Severity.OK, sentence)


def warn(sentence: str) -> Finding:
    """Return a warning."""
    return Finding(Severity.WARN, sentence)


def fail(sentence: str) -> Finding:
    """Return a finding that has to be fixed."""
    return Finding(Severity.FAIL, sentence)


async def bounded(looking: Awaitable[Sequence[Finding]], *, what: str, advice: str, limit: float) -> Sequence[Finding]:
    """Await a check for ``limit`` seconds; whatever goes wrong in it becomes a finding, so that the others go on.

    ``what`` begins the sentence ("The database"), ``advice`` ends it when the time is over.
    """
    try:
        async with asyncio.timeout(limit):
            return await looking
    except TimeoutError:
        return [fail(f"{what} could not be checked within {limit:g} s: {advice}.")]
    except Exception as error:  # a check that breaks is a finding too, and the log has the rest
        log.exception("check failed", what=what)
        return [fail(f"{what} could not be checked ({type(error).__name__}): read the log above, and report it.")]

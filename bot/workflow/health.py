"""What keeps Linesman from working right now, for the people who run it.

Work that fails for an unforeseen reason is retried indefinitely, so somebody must be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from bot.machine import steady

log = structlog.get_logger(__name__)

#: Failures in a row before the people who run Linesman are told: a single one may be a hiccup of the machine.
FEW: Final = 3


class Health:
    """Current troubles, by place. ``/readyz`` and ``/metrics`` report them until they are over.

    Whether the database accepts writes is known to it alone (:attr:`bot.store.database.Database.trouble`).
    """

    #: The Slack token no longer works, or Slack refuses messages everywhere.
    SLACK = "slack"
    #: There is no connection that shows other replicas that this one lives.
    DATABASE = "database"

    #: The constant work of finding due work and keeping it fails: see :meth:`failed`.
    WORK = "work"

    def __init__(self) -> None:
        self._present: dict[str, str] = {}
        #: Failing work -> failures in a row.
        self._failures: dict[str, int] = {}

    def failed(self, doing: str, error: Exception) -> None:
        """Note that ``doing`` ("claim tasks"), which is retried indefinitely, failed for an unforeseen reason.

        After a few failures in a row it is a trouble. The error's text is in the log only, as nobody knows what it
        quotes.
        """
        self._failures[doing] = self._failures.get(doing, 0) + 1
        if self._failures[doing] >= FEW:
            why = f"Linesman cannot {doing} ({type(error).__name__}); see the log."
            self.begin(f"{self.WORK}: {doing}", why)

    def went_well(self, doing: str) -> None:
        """Note that ``doing`` does not fail; harmless when it never did."""
        self._failures.pop(doing, None)
        self.end(f"{self.WORK}: {doing}")

    @property
    def troubles(self) -> Sequence[tuple[str, str]]:
        """Each trouble: where it is, one of the three places, and what it is."""
        return [(where.partition(":")[0], what) for where, what in self._present.items()]

    def begin(self, where: str, what: str) -> None:
        """Note a trouble; a new one is logged."""
        if self._present.get(where) != what:
            log.error("trouble", where=where, what=what)
        self._present[where] = what

    def end(self, where: str) -> None:
        """Note that the trouble at ``where`` is over; harmless when there was none."""
        if self._present.pop(where, None) is not None:
            log.warning("recovered", where=where)

    @property
    def present(self) -> Mapping[str, str]:
        """Where there is trouble now, and what it is."""
        return dict(self._present)


#: Seconds without a failure after which a fault is over: the work is tried at least every five minutes, so it succeeded
#: elsewhere or is no longer needed.
_OVER: Final = 660.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFailure:
    """One piece of work that failed and has not succeeded since."""

    #: The failed work: a task's name, or ``message``.
    what: str
    #: The public id of its change; empty when it belongs to none.
    change: str
    #: The name of the error; its text is in the log only, as nobody knows what it quotes.
    why: str
    times: int
    #: When it last failed, in seconds of the steady clock.
    at: float

    def __str__(self) -> str:
        whose = f" of {self.change}" if self.change else ""
        return f"The task “{self.what}”{whose} failed {self.times} times in a row ({self.why}); see the log."


class TaskFailures:
    """The faults of this process."""

    def __init__(self, now: Callable[[], float] = steady) -> None:
        self._now = now
        self._present: dict[str, TaskFailure] = {}

    def count(self, key: str, *, what: str, change: str, error: Exception) -> TaskFailure:
        """Note one more failure of the work ``key`` and return what is known about it."""
        before = self._present.get(key)
        fault = TaskFailure(what=what, change=change, why=type(error).__name__, times=1, at=self._now())
        self._present[key] = replace(fault, times=before.times + 1) if before is not None else fault
        return self._present[key]

    def end(self, key: str) -> None:
        """Note that the work succeeded; harmless when it never failed."""
        self._present.pop(key, None)

    @property
    def present(self) -> Sequence[TaskFailure]:
        """The work that fails now."""
        since = self._now() - _OVER
        self._present = {key: fault for key, fault in self._present.items() if fault.at > since}
        return list(self._present.values())

"""What keeps Linesman from its work just now, for those who run it.

Work that fails for a reason that nobody foresaw is tried again for ever, so somebody has to hear of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from bot.machine import steady

log = structlog.get_logger(__name__)

#: Failures in a row before those who run Linesman are told: one may be a hiccup of the machine.
FEW: Final = 3


class Health:
    """Standing troubles, by where they are. ``/readyz`` and ``/metrics`` tell them until they are over.

    That it takes no writes the database knows itself (:attr:`bot.store.database.Database.trouble`).
    """

    #: The Slack token does not work any more, or Slack refuses messages everywhere.
    SLACK = "slack"
    #: The connection cannot be had on which other replicas see that this one lives.
    DATABASE = "database"

    #: What Linesman does all the time, to find its work and to keep it, fails: see :meth:`failed`.
    WORK = "work"

    def __init__(self) -> None:
        self._present: dict[str, str] = {}
        #: What fails -> how often in a row.
        self._failures: dict[str, int] = {}

    def failed(self, doing: str, error: Exception) -> None:
        """Note that ``doing`` ("claim tasks"), which is tried for ever, failed for a reason that nobody foresaw.

        After a few times in a row it is a trouble. The error's text is in the log only, for nobody knows what it
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

    def troubles(self, where: str) -> bool:
        """Tell whether there is trouble at ``where``, one of the three."""
        return any(each.partition(":")[0] == where for each in self._present)

    def begin(self, where: str, what: str) -> None:
        """Note a trouble; it is logged when it is news."""
        if self._present.get(where) != what:
            log.error("trouble", where=where, what=what)
        self._present[where] = what

    def end(self, where: str) -> None:
        """Note that a recovered; harmless when there was none."""
        if self._present.pop(where, None) is not None:
            log.warning("recovered", where=where)

    @property
    def present(self) -> Mapping[str, str]:
        """Where there is trouble now, and what."""
        return dict(self._present)


#: Seconds without a failure after which a fault is over: the work is tried at least every five minutes, so it went
#: well elsewhere, or is not to be done any more.
_OVER: Final = 660.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFailure:
    """One piece of work that failed, and has not gone well since."""

    #: What was to be done: a task's name, or ``message``.
    what: str
    #: The public id of the change that it belongs to; empty when it is nobody's.
    change: str
    #: The name of the error; its text is in the log only, for nobody knows what it quotes.
    why: str
    times: int
    #: When it failed last, in seconds that count steadily.
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
        """Note one more failure of the work ``key`` and return what is known of it."""
        before = self._present.get(key)
        fault = TaskFailure(what=what, change=change, why=type(error).__name__, times=1, at=self._now())
        self._present[key] = replace(fault, times=before.times + 1) if before is not None else fault
        return self._present[key]

    def end(self, key: str) -> None:
        """Note that the work went well; harmless when it never failed."""
        self._present.pop(key, None)

    @property
    def present(self) -> Sequence[TaskFailure]:
        """What fails now."""
        since = self._now() - _OVER
        self._present = {key: fault for key, fault in self._present.items() if fault.at > since}
        return list(self._present.values())

"""Carrying out one run: its numbers, several at once, until each has its outcome or the run must wait or stop."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from enum import Enum
from typing import Final

from bot.changes.model.bulk_runs import NumberState, Run, RunNumber, Step
from bot.changes.model.kinds import Kind
from bot.changes.outcome.outcomes import STALE, STOPPED
from bot.changes.policy import OnStale
from bot.errors import DatabaseUnavailable, Superseded
from bot.providers.close.ledger import Ledger
from bot.providers.close.staleness import FreshRead
from bot.providers.close.updates import UpdateResult, Updates
from bot.providers.runs import Runs

log = logging.getLogger(__name__)

#: Fewest and most numbers of one run at work at once: each waits for two commits and an answer, and the rest of an
#: allowance is lost at the end of its window. Where few may be sent, more numbers would only become stale while
#: waiting.
WIDTH: Final = 12
WIDEST: Final = 32
#: Seconds of work at the rate that Close allows that the numbers at work should cover.
COVERED: Final = 0.6
#: After this many 403s without one accepted number, the refusal is about the user, not about the numbers. For a single
#: 403 only its text could tell, and texts change (API.md, "Permissions").
FORBIDDEN_FOR_ALL: Final = 10
#: Seconds that a run is put off when Close is unreachable.
REST: Final = 30.0
#: Our code for numbers not attempted because the run stopped.
RUN_STOPPED: Final = "linesman.run_stopped"


class RunState(Enum):
    """What a run is doing."""

    RUNNING = "running"  #: taking up one number after another
    STOPPED = "stopped"  #: no other number can be changed; the rest is not attempted
    WAITING = "waiting"  #: Close is unreachable; the rest waits
    ENDING = "ending"  #: this process ends, or another owner has the run now


class _StepWriter:
    """Writes down the state of one number."""

    def __init__(self, ledger: Ledger, number: RunNumber) -> None:
        self._ledger = ledger
        self._number = number

    async def mark(self) -> None:
        """Write that its request is about to go out."""
        await self._ledger.mark(self._step(NumberState.SENT))

    async def unmark(self) -> None:
        """Write that the request certainly had no effect."""
        await self._ledger.note(self._step(NumberState.WAITING))

    def _step(self, state: NumberState) -> Step:
        return Step(position=self._number.position, state=state, rests=self._number.rests)


class RunExecution:
    """One run while this process holds it."""

    def __init__(self, runs: Runs, run: Run, owner: str, kind: Kind, updates: Updates) -> None:
        self._runs = runs
        self._run = run
        self._owner = owner
        self._kind = kind
        self._updates = updates
        self._ledger = Ledger(runs, run.id, owner)
        self._fresh_reads = updates.fresh_reads(run.numbers, kind)
        self._course = RunState.RUNNING
        self._why, self._code = "", RUN_STOPPED
        if run.halt is not None:
            self._only_sent(for_good=run.halt.for_good)
        if run.halt is None or not run.halt.for_good:
            for number in run.numbers:
                if number.code == STALE:
                    self._stop_as_stale(number)  # an earlier owner may have died before it stopped the run
        self._accepted = any(number.state is NumberState.SUCCEEDED for number in run.numbers)
        self._forbidden = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def run(self) -> str:
        """The run's id."""
        return self._run.id

    def leave(self) -> None:
        """Take up no more numbers; those at work may finish."""
        if self._course is RunState.RUNNING:
            self._course = RunState.ENDING

    def cut_off(self) -> None:
        """Abandon the numbers at work. Their sent requests are marked, so the next owner checks first."""
        self.leave()
        for task in self._tasks:
            task.cancel()

    async def carry(self) -> None:
        """Carry out the run as far as possible, and give it back."""
        self._tasks = {asyncio.create_task(self._work()) for _ in range(min(WIDTH, len(self._fresh_reads)))}
        while at_work := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(at_work)
        await self._ledger.close()
        match self._course:
            case RunState.STOPPED:
                with suppress(Superseded):
                    await self._stop()
                # Numbers that an earlier process left as sent are checked once more before the run can end.
                await self._runs.put_off(self._run.id, self._owner, 0.0)
            case RunState.ENDING:
                await self._runs.put_off(self._run.id, self._owner, 0.0)
            case RunState.WAITING:
                await self._runs.put_off(self._run.id, self._owner, REST)
            case RunState.RUNNING:
                # Only numbers held back by a freeze or a closed window are left; the run is checked again at intervals.
                await self._runs.put_off(self._run.id, self._owner, REST, held_back=True)

    async def _work(self) -> None:
        while self._course is RunState.RUNNING:
            try:
                if (taken := await self._fresh_reads.next()) is None:
                    return
                await self._one(*taken)
                self._widen()
            except Superseded:
                self._course = RunState.ENDING
            except DatabaseUnavailable as error:
                self._rest(error.message)
            except Exception as error:
                # No error may lose the run: it is put off and taken up again.
                log.exception("a number of run %s failed", self._run.id)
                self._rest(type(error).__name__)

    def _widen(self) -> None:
        """Let more numbers be at work if Close allows more requests than these can use."""
        wanted = min(WIDEST, int(self._updates.rate * COVERED), len(self._tasks) + len(self._fresh_reads))
        if self._course is RunState.RUNNING:
            self._tasks |= {asyncio.create_task(self._work()) for _ in range(len(self._tasks), wanted)}

    async def _one(self, number: RunNumber, seen: FreshRead | None) -> None:
        writer = _StepWriter(self._ledger, number)
        ending = await self._updates.carry_out(number, self._kind, writer, self._fresh_reads, seen)
        self._weigh(ending)
        if ending.stale:
            self._stop_as_stale(number)
        await self._ledger.note(ending.step)
        if self._course is RunState.STOPPED:
            await self._stop()  # at once, so that numbers at work send nothing, not even a retry

    async def _stop(self) -> None:
        """Send nothing more of the run, in this process or under its next owner."""
        reason = f"The run was stopped before this number was sent. {self._why}"
        await self._runs.stop(self._run.id, self._owner, code=self._code, reason=reason)

    def _weigh(self, ending: UpdateResult) -> None:
        """Decide what the result of one number means for the others."""
        if ending.step.state is NumberState.SUCCEEDED:
            self._accepted = True
        if ending.halted is not None:
            self._only_sent(for_good=ending.halted.for_good)
        if ending.forbidden:
            self._forbidden += 1
        for_all = self._forbidden >= FORBIDDEN_FOR_ALL and not self._accepted
        if ending.stops or for_all:
            self._course, self._why = RunState.STOPPED, ending.stops or ending.step.reason
            log.warning("run %s is stopped: %s", self._run.id, self._why)
        elif ending.later:
            self._rest("Close gives no clear answer")

    def _only_sent(self, *, for_good: bool) -> None:
        """Continue only with numbers that may have been sent before: reading whether they arrived changes nothing.

        If the run was stopped, the stop has given the others their outcome.
        """
        self._fresh_reads.only_sent()
        log.info("run %s is %s", self._run.id, "stopped" if for_good else "held back")

    def _stop_as_stale(self, number: RunNumber) -> None:
        """Send nothing more because of a stale number, if the policy says so."""
        if self._run.on_stale is OnStale.STOP and self._course is RunState.RUNNING:
            why = f"{number.e164} has changed since the plan was made."
            self._course, self._code, self._why = RunState.STOPPED, STOPPED, why
            log.warning("run %s is stopped: %s", self._run.id, why)

    def _rest(self, why: str) -> None:
        if self._course is RunState.RUNNING:
            self._course = RunState.WAITING
            log.warning("run %s is postponed for %g s: %s", self._run.id, REST, why)

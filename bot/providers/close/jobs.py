"""Runs in the form of the jobs that the workflow knows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from bot.changes.model.bulk_runs import NewNumber, NumberState, Run, RunNumber
from bot.changes.planning.plan import difference
from bot.errors import BadRequest, ProviderNotFound
from bot.providers.base import BatchRequest, JobReport, JobState, OperationReport
from bot.providers.runs import Runs

#: Assumed numbers per second of a run before it has shown its speed.
FIRST_GUESS: Final = 10.0


class Jobs:
    """The jobs of one organization, which are all ours."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def submit(self, batch: BatchRequest) -> JobReport:
        """Write down the run of ``batch``, or find its existing one."""
        if not batch.reference:
            raise BadRequest("A batch for Close needs a reference, under which its run is found again.")
        numbers = [_new(batch, id_, e164) for id_, e164 in batch.numbers]
        return report(await self._runs.open(batch.reference, batch.kind.name, numbers, on_stale=batch.on_stale))

    async def poll(self, job_id: str) -> JobReport:
        """Return the run as it is now; raises :class:`bot.errors.ProviderNotFound` when there is none."""
        run = await self._runs.read(job_id)
        if run is None:
            raise ProviderNotFound("There is no such run.")
        return report(run)

    async def search(self, batch: BatchRequest) -> tuple[JobReport, ...]:
        """Return the run of ``batch``, found only by its reference."""
        run = await self._runs.find(batch.reference) if batch.reference else None
        return () if run is None else (report(run),)


def _new(batch: BatchRequest, id_: str, e164: str) -> NewNumber:
    """Return one number with the values to send; values that it already has are left out.

    If the plan says nothing about the number, everything is sent.
    """
    known = batch.before.get(id_, {})
    before = {name: known[name] for name in batch.values if name in known}
    wanted = difference(batch.kind, before, batch.values)
    return NewNumber(id=id_, e164=e164, before=before, wanted=wanted)


def report(run: Run) -> JobReport:
    """Return the run as a job report."""
    over = [number for number in run.numbers if number.state.over]
    pending = [number for number in run.numbers if not number.state.over]
    state = JobState.COMPLETED if not pending else JobState.IN_PROGRESS if run.started_at else JobState.PENDING
    return JobReport(
        id=run.id,
        state=state,
        state_word=state.value,
        succeeded=_operations(number for number in over if number.state is NumberState.SUCCEEDED),
        failed=_operations(number for number in over if number.state is not NumberState.SUCCEEDED),
        pending=_operations(pending),
        done_by=run.read_at + _rest(run, len(over), len(pending)) if pending else None,
        created_at=run.created_at,
        numbers=frozenset(number.id for number in run.numbers),
    )


def _rest(run: Run, over: int, pending: int) -> timedelta:
    """Return how long the rest may take, at the run's speed so far."""
    if run.started_at is None or not over:
        return timedelta(seconds=pending / FIRST_GUESS)
    return (run.read_at - run.started_at) / over * pending


def _operations(numbers: Iterable[RunNumber]) -> tuple[OperationReport, ...]:
    return tuple(
        OperationReport(
            id=number.id,
            e164=number.e164,
            code=number.code,
            reason=number.reason,
            pointer=number.pointer,
            attempted=number.state is not NumberState.NOT_ATTEMPTED,
            known=number.state is not NumberState.UNKNOWN,
        )
        for number in numbers
    )

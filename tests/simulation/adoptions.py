"""Whether each batch has the job that was made for it, and no other one, also where an operator said which it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.sandbox.telnyx import Job
    from tests.simulation.world import World

#: Numbers of the batches that are being sent, or of which nobody knows whether they were.
SENDING: Final = (
    "SELECT b.id, o.number_id FROM batches b JOIN operations o ON o.change_id = b.change_id AND o.batch = b.position "
    "WHERE b.state IN ('submitting', 'unknown')"
)
KNOWN: Final = "SELECT id, change_id, job FROM batches WHERE job <> ''"


class Adoptions:
    """Judges whose job is whose in one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: Job -> the batch over exactly whose numbers it was made while that was sent.
        self._made: dict[str, int] = {}

    def made(self, job: Job) -> None:
        """Note the batch for which a job has just been made."""
        numbers: dict[int, set[str]] = {}
        for batch, number in self._world.judge.rows(SENDING):
            numbers.setdefault(batch, set()).add(number)
        ids = {operation.id for operation in job.operations}
        for batch, its in numbers.items():
            if its == ids:
                self._made[job.id] = batch

    def job_of(self, batch: int) -> str | None:
        """Return what an operator finds in the provider's own pages: the job of a batch that knows of none."""
        known = {job for *_, job in self._world.judge.rows(KNOWN)}
        return next((job for job, its in self._made.items() if its == batch and job not in known), None)

    def end(self) -> None:
        """Want each batch at Telnyx to have had a job of its own."""
        jobs = {job.id for job in self._world.telnyx.jobs}
        for batch, change, job in self._world.judge.rows(KNOWN):
            if job in jobs and self._made.get(job) != batch:
                self._world.judge.wrong(f"batch {batch} of CHG-{change} has job {job}, made for {self._made.get(job)}")

"""The book of all jobs, and the one place where time makes them move.

No task runs for a job. ``JobBook.settle`` carries out all steps that are due, over all jobs, in the order of
their moments; it is called before every request and before a test looks at anything. So the effects of two
jobs on one number mix as they would in life: the last writer wins, as the legacy documentation warns.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from bot.sandbox.provider.clock import Clock
from bot.sandbox.telnyx.behaviour import Behaviour
from bot.sandbox.telnyx.errors import too_many_jobs
from bot.sandbox.telnyx.jobs import Job
from bot.sandbox.telnyx.misbehaviour import Misbehaviour, MisbehaviourRule

#: Most jobs of a type that may be pending or in progress, whoever made them. That the limit is counted per
#: type is a reading: whether it is per type or over all is unknown (providers/telnyx/API.md, "Jobs in flight").
LIMITS = {"update_phone_numbers": 20, "delete_phone_numbers": 20, "update_emergency_settings": 500}


class JobBook:
    """All jobs, oldest first, and the steps that lie ahead."""

    def __init__(self, clock: Clock, behaviour: Behaviour) -> None:
        self.all: dict[str, Job] = {}
        self._clock = clock
        self._behaviour = behaviour
        self._rules: list[MisbehaviourRule] = []
        self._agenda: list[tuple[datetime, int, Job]] = []
        self._added = 0

    def add(self, job: Job) -> Job:
        """Take a job into the book.

        Raises:
            RefusedError: 422 when as many jobs of its type as allowed are under way.

        """
        if not job.of_somebody_else and self.under_way()[job.type] >= LIMITS[job.type]:
            raise too_many_jobs(LIMITS[job.type])
        self.all[job.id] = job
        self._added += 1
        for rule in self._rules:
            if rule.befalls(job):
                job.befall(rule)
        self._plan(job, self._added)
        return job

    def under_way(self) -> Counter[str]:
        """Return how many jobs of each type are pending or in progress."""
        return Counter(job.type for job in self.all.values() if not job.finished)

    def misbehave(self, rule: MisbehaviourRule) -> None:
        """Apply a rule to the jobs there are and to those that will come."""
        self._rules.append(rule)
        for job in self.all.values():
            if rule.befalls(job):
                job.befall(rule)

    def behave(self, how: Misbehaviour) -> None:
        """Take the rules of one sort back; jobs that such a rule has kept go on from where they are."""
        self._rules = [rule for rule in self._rules if rule.how is not how]
        waiting = {id(job) for *_, job in self._agenda}
        for job in self.all.values():
            job.recover(how)
            if id(job) not in waiting:
                self._added += 1
                self._plan(job, self._added)

    def settle(self) -> None:
        """Carry out every step that is due, over all jobs in the order of their moments."""
        now = self._clock.now()
        while self._agenda and self._agenda[0][0] <= now:
            _due, order, job = heapq.heappop(self._agenda)
            if job.next_due() is not None:
                job.step(self._behaviour)
                self._plan(job, order)
        self._behaviour.settle()

    def _plan(self, job: Job, order: int) -> None:
        if (due := job.next_due()) is not None:
            heapq.heappush(self._agenda, (due, order, job))

    def visible(self) -> Sequence[Job]:
        """Return the jobs that the service admits to, oldest first."""
        return [job for job in self.all.values() if not job.hidden]

"""The ways in which a job can go wrong or its report can lie, for tests that ask for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sandbox.telnyx.jobs import Job


class Misbehaviour(StrEnum):
    """What a job does instead of behaving."""

    #: It stays pending indefinitely; nothing is carried out.
    STUCK_PENDING = "stuck_pending"
    #: Half of its numbers are carried out, then it is ``expired`` with the others still pending.
    EXPIRED = "expired"
    #: It ends as ``failed`` with three empty lists; nothing is carried out.
    FAILED_EMPTY = "failed_empty"
    #: It ends as ``completed``, but the last tenth of its numbers (at least one) is in no list and untouched.
    COMPLETED_MISSING = "completed_missing"
    #: It ends as ``completed`` with three empty lists, although all of its numbers were carried out.
    COMPLETED_EMPTY = "completed_empty"
    #: It stays ``in_progress`` indefinitely although every number of it has its outcome.
    NEVER_ENDS = "never_ends"
    #: ``voice`` replaces the whole object: what is not in it falls back to its default, at its top as well.
    VOICE_REPLACED = "voice_replaced"
    #: Its first successful number is listed as failed as well.
    NUMBER_IN_TWO_LISTS = "number_in_two_lists"
    #: Once it has ended it is gone: 404, and absent from the list of jobs.
    NOT_FOUND_LATER = "not_found_later"
    #: Its status is always ``suspended``, a word that no documentation has.
    UNKNOWN_STATUS = "unknown_status"
    #: It reports success but leaves one field as it was.
    SILENTLY_DROPPED = "silently_dropped"
    #: It says nowhere which numbers it was created with, as the schema allows (providers/telnyx/API.md, "Jobs").
    NUMBERS_UNTOLD = "numbers_untold"
    #: It does not tell its parameters, as before SDK 4.186.
    PARAMETERS_UNTOLD = "parameters_untold"
    #: It tells parameters with nothing in them.
    PARAMETERS_EMPTY = "parameters_empty"
    #: Ids come as JSON integers.
    IDS_AS_INTEGERS = "ids_as_integers"
    #: ``source`` in the errors of failed operations is a plain text, as old documentation had it.
    SOURCE_AS_STRING = "source_as_string"


#: Which jobs: every job (``None``), those of a type, one by its id, or those for which a function says yes.
JobFilter = Callable[["Job"], bool] | str | None


@dataclass(frozen=True, slots=True)
class MisbehaviourRule:
    """A misbehaviour and the jobs that it befalls."""

    job_filter: JobFilter
    how: Misbehaviour
    #: Dotted path of the field that ``silently_dropped`` leaves alone.
    field: str | None
    #: The numbers (E.164 or ids) to which ``silently_dropped`` happens; ``None`` for all of a job.
    numbers: frozenset[str] | None = None

    def drops_on(self, *names: str) -> bool:
        """Tell whether the field is dropped on the number with these names."""
        return self.field is not None and (self.numbers is None or not self.numbers.isdisjoint(names))

    def befalls(self, job: Job) -> bool:
        """Tell whether this job is one of those meant; jobs of somebody else never are."""
        if job.of_somebody_else:
            return False
        if self.job_filter is None or isinstance(self.job_filter, str):
            return self.job_filter in (None, job.type, job.id)
        return self.job_filter(job)

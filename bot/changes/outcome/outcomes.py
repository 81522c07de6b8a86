"""From a job's report to the outcome of every number: exactly one each, none left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from bot.changes.model.batches import BatchNumber, Tally
from bot.changes.model.lifecycle import REPORTED, OperationState, Outcome

#: Our own reason codes, beside the provider's. They stand in ``results.csv`` for programs, and in .github/USING.md.
NOT_REPORTED = "linesman.not_reported"
CONTRADICTORY = "linesman.contradictory"
UNCHANGED = "linesman.unchanged"
REFUSED = "linesman.job_refused"
STOPPED = "linesman.stopped"
GIVEN_UP = "linesman.given_up"
UNCLEAR_RESPONSE = "linesman.unclear_response"
NO_ANSWER = "linesman.no_answer"
STALE = "linesman.stale"
UNLOCKED = "linesman.unlocked"
DIFFERS = "linesman.differs"
GONE = "linesman.gone"
NOT_READ_BACK = "linesman.not_read_back"
NOT_SHOWN = "linesman.not_shown"
UNANSWERED = "linesman.unanswered"
ALSO_CHANGED = "linesman.also_changed"
STILL_ACTIVATING = "linesman.still_activating"
NOT_IN_EFFECT = "linesman.not_in_effect"
#: Codes of numbers whose outcome nobody reports: a read-back decides, and keeps the code beside what it found unless it
#: verifies them.
UNCERTAIN: Final = frozenset({NOT_REPORTED, CONTRADICTORY, GIVEN_UP, UNANSWERED, UNCLEAR_RESPONSE, NO_ANSWER})


class ReportedNumber(Protocol):
    """One number as a job reports it."""

    @property
    def id(self) -> str: ...  # noqa: D102 - fields of a provider's report
    @property
    def e164(self) -> str: ...  # noqa: D102
    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def pointer(self) -> str: ...  # noqa: D102
    @property
    def attempted(self) -> bool: ...  # noqa: D102
    @property
    def known(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberOutcome:
    """The outcome of one operation."""

    position: int
    state: OperationState
    code: str = ""
    reason: str = ""
    pointer: str = ""


def number_outcomes(
    numbers: Sequence[BatchNumber],
    *,
    succeeded: Iterable[ReportedNumber],
    failed: Iterable[ReportedNumber],
    pending: Iterable[ReportedNumber],
    final: bool,
    job_word: str,
) -> list[NumberOutcome]:
    """Return the outcomes that a job's three lists give to those of ``numbers`` that have none yet.

    A number whose outcome the job itself contradicts, such as one that failed while it ran and has succeeded now, gets
    a new one: unknown, which the read-back decides.

    While the job runs (``final`` is false), a number in no list or in the pending list keeps waiting. Once nothing more
    can be expected, its outcome is unknown, with ``job_word`` (the provider's word for the job's state) in the reason.
    The same holds for a number in both the failed and the succeeded list, and for one that the job says it does not
    know. A number in the failed list that the job says it never attempted is not attempted.
    """
    good, bad = _index(succeeded), _index(failed)
    waiting = _index(pending)
    verdicts: list[NumberOutcome] = []
    for number in numbers:
        report, success = _of(bad, number), _of(good, number)
        if number.state.over:
            opposite = success if number.state is OperationState.FAILED else report
            if number.state in REPORTED and opposite is not None:
                verdicts.append(_contradiction(number, report))
        elif report is not None:
            verdicts.append(_failure(number, report) if success is None else _contradiction(number, report))
        elif success is not None and (final or _of(waiting, number) is None):
            verdicts.append(NumberOutcome(position=number.position, state=OperationState.SUCCEEDED))
        elif final:
            verdicts.append(
                NumberOutcome(
                    position=number.position,
                    state=OperationState.UNKNOWN,
                    code=NOT_REPORTED,
                    reason=f"The job, last seen as “{job_word}”, does not give an outcome for this number.",
                )
            )
    return verdicts


def _contradiction(number: BatchNumber, report: ReportedNumber | None) -> NumberOutcome:
    """Return the outcome of a number that its job calls succeeded and failed; ``report`` is the failure, if listed."""
    return NumberOutcome(
        position=number.position,
        state=OperationState.UNKNOWN,
        code=CONTRADICTORY,
        reason="The job lists this number as succeeded and as failed"
        + (f" ({report.reason})." if report is not None and report.reason else "."),
        pointer=report.pointer if report is not None else "",
    )


def _failure(number: BatchNumber, report: ReportedNumber) -> NumberOutcome:
    if not report.attempted:
        return NumberOutcome(
            position=number.position,
            state=OperationState.NOT_ATTEMPTED,
            code=report.code,
            reason=report.reason,
        )
    return NumberOutcome(
        position=number.position,
        state=OperationState.FAILED if report.known else OperationState.UNKNOWN,
        code=report.code,
        reason=report.reason or "The provider gives no reason.",
        pointer=report.pointer,
    )


_R = TypeVar("_R", bound=ReportedNumber)


def _index(reports: Iterable[_R]) -> Mapping[str, _R]:
    """Return the reports by id and by E.164, as far as the provider gave them."""
    index: dict[str, _R] = {}
    for report in reports:
        for key in (report.id, report.e164):
            if key:
                index.setdefault(key, report)
    return index


def _of(index: Mapping[str, _R], number: BatchNumber) -> _R | None:
    """Return the report about ``number``. The id decides: documented examples give one id two numbers."""
    return index.get(number.number_id) or index.get(number.e164)


def outcome(tally: Tally, unchanged: int) -> Outcome:
    """Return how a change with these counts ended; every number must have an outcome.

    ``unchanged`` numbers had the wanted values beforehand: they were not attempted, and that is no failure.

    A number that differs counts as failed, whatever the job says: people read "succeeded" as "has the values that I
    approved, and nothing else", which is known to be false here. A number that could not be read back is no failure, as
    nobody knows of one; but a change with such a number never counts as succeeded.
    """
    missing = tally.failed + tally.differs + tally.not_attempted - unchanged
    unseen = tally.unread + tally.unverified
    if missing:
        return Outcome.PARTLY_FAILED if tally.verified or unseen else Outcome.FAILED
    if unseen:
        return Outcome.UNVERIFIED
    return Outcome.SUCCEEDED if tally.verified else Outcome.FAILED

"""What became of the numbers of a temporary change at its end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from bot.changes.model.batches import Operation, Tally
from bot.changes.model.change import Change
from bot.changes.model.lifecycle import CHANGED, ChangeState, Outcome
from bot.changes.model.summary import Summary
from bot.changes.outcome.outcomes import UNCHANGED
from bot.changes.sheets.stages import LEFT_ALONE

#: In the results: a number that somebody else has changed meanwhile, and one that could not be restored.
LEFT: Final = "left"
MISSING: Final = "not_restored"
#: How late a change may begin without a notice: planning it and reading its numbers takes a while.
LATE: Final = timedelta(minutes=5)
#: First and longest pause before numbers are planned again that several restores have left.
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=5)
#: A word and a sentence about one number. Both are empty for a number that had not been changed.
RestoreCells: TypeAlias = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """How many of the numbers changed by a temporary change ended in which way."""

    #: They have their earlier values: restored, or already so.
    restored: int = 0
    #: Somebody has changed them meanwhile, so they were left alone.
    left: int = 0
    #: They were to get their earlier values, and do not have them.
    failed: int = 0
    #: Nobody could see whether they have their earlier values.
    unverified: int = 0
    #: They were never sent: they are gone, or nothing could be restored at all.
    missing: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name, for events and messages."""
        return asdict(self)

    @property
    def wanting(self) -> int:
        """How many numbers lack their earlier values, as far as known."""
        return self.failed + self.unverified + self.missing


def how_late(due: datetime, began: datetime) -> timedelta | None:
    """Return how long after its time, ``due``, a change began; None when that was as soon as can be expected."""
    late = began - due
    return late if late >= LATE else None


def pause_after(restores: int) -> timedelta:
    """Return how long to wait before planning again the numbers that this many ``restores`` have left.

    The second restore does not wait. Further ones are only needed when the provider's list is out of date.
    """
    return min(FIRST_PAUSE * 2 ** min(restores - 2, 10), LONGEST_PAUSE) if restores > 1 else timedelta(0)


def telling(restores: Sequence[Change]) -> Change | None:
    """Return the restore whose result covers all numbers; ``restores`` are sorted by age. None without restores.

    It is the newest, unless that one ended before it had a plan.
    """
    newest = restores[-1] if restores else None
    if newest is None or newest.summary is not None or not newest.state.over:
        return newest
    return next((each for each in reversed(restores) if each.state is ChangeState.FINISHED), newest)


def restored(changed: int, summary: Summary | None, tally: Tally) -> Restored:
    """Return the fate of ``changed`` numbers after a restore with ``summary``, whose numbers are in ``tally``.

    Numbers without an outcome, because the restore was stopped, were not restored.
    """
    if summary is None:
        return Restored(missing=changed)
    good = tally.verified + summary.unchanged
    unverified = tally.unread + tally.unverified
    return Restored(
        restored=good,
        left=summary.since,
        failed=tally.total - good - unverified,
        unverified=unverified,
        missing=max(changed - tally.total - summary.since, 0),
    )


def overall(there: Outcome, back: Restored) -> Outcome:
    """Return how a temporary change ended that had the outcome ``there`` before its restore.

    Numbers that somebody else changed meanwhile are no failure.
    """
    if back.failed or back.missing:
        return Outcome.FAILED if there is Outcome.FAILED else Outcome.PARTLY_FAILED
    return Outcome.UNVERIFIED if back.unverified and there is Outcome.SUCCEEDED else there


def restore_cells(
    operation: Operation, restoring: Operation | None, without: Collection[str], *, planned: bool
) -> RestoreCells:
    """Return what the results say about the restore of a number.

    ``restoring`` is the operation that restored it; ``without`` are the names of numbers that could not be in the
    restore, and ``planned`` tells whether there was a plan at all.
    """
    if operation.state not in CHANGED:
        return "", ""
    if restoring is not None:
        word = LEFT_ALONE if restoring.code == UNCHANGED else restoring.state.value
        return word, restoring.reason
    if not planned:
        return MISSING, "Nothing of this change was restored."
    if operation.number_id in without or operation.e164 in without:
        return (
            MISSING,
            "It is not in the account any more, or could not be given its earlier values: see the card of the change.",
        )
    return LEFT, "Somebody has changed it since, so it was left as it is."

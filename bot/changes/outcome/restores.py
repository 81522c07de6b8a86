"""What has become of the numbers of a temporary change at its end."""

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

#: What the results say of a number that somebody else has changed meanwhile, and of one that could not be restored.
LEFT: Final = "left"
MISSING: Final = "not_restored"
#: How long after its time a change may begin without a word about it: to plan it and to read its numbers takes a while.
LATE: Final = timedelta(minutes=5)
#: First and longest pause before numbers are planned that several restores have not seen to.
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=5)
#: Of one number: a word, and a sentence. Both are empty of one that had not been changed.
RestoreCells: TypeAlias = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """How many of the numbers that a temporary change had changed are where at its end."""

    #: They have what they had before: given back, or by then already.
    restored: int = 0
    #: Somebody has changed them meanwhile, so they were left as they are.
    left: int = 0
    #: They were to be given back what they had, and have it not.
    failed: int = 0
    #: Nobody could see whether they have it.
    unverified: int = 0
    #: They were never sent: they are gone, or nothing could be restored at all.
    missing: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name, for events and messages."""
        return asdict(self)

    @property
    def wanting(self) -> int:
        """How many do not have what they should, as far as anybody knows."""
        return self.failed + self.unverified + self.missing


def how_late(due: datetime, began: datetime) -> timedelta | None:
    """Return how long after its time, ``due``, a change began; None when that was as soon as can be expected."""
    late = began - due
    return late if late >= LATE else None


def pause_after(restores: int) -> timedelta:
    """Return how long to wait before the numbers are planned again that so many ``restores`` have not seen to.

    The second one is not to wait. More of them only come where what a provider lists is older than what it has.
    """
    return min(FIRST_PAUSE * 2 ** min(restores - 2, 10), LONGEST_PAUSE) if restores > 1 else timedelta(0)


def telling(restores: Sequence[Change]) -> Change | None:
    """Return the one of ``restores``, the oldest first, that tells what has become of the numbers; None of none.

    It is the latest, which looks at all of them, unless that has ended before anybody knew what it could restore.
    """
    newest = restores[-1] if restores else None
    if newest is None or newest.summary is not None or not newest.state.over:
        return newest
    return next((each for each in reversed(restores) if each.state is ChangeState.FINISHED), newest)


def restored(changed: int, summary: Summary | None, tally: Tally) -> Restored:
    """Return what has become of ``changed`` numbers by a restore with ``summary``, whose numbers are in ``tally``.

    A restore that was stopped has numbers without an outcome: they were not restored.
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
    """Return how a temporary change ended whose way there ended as ``there``.

    What somebody else wanted otherwise meanwhile is no failure.
    """
    if back.failed or back.missing:
        return Outcome.FAILED if there is Outcome.FAILED else Outcome.PARTLY_FAILED
    return Outcome.UNVERIFIED if back.unverified and there is Outcome.SUCCEEDED else there


def restore_cells(
    operation: Operation, restoring: Operation | None, without: Collection[str], *, planned: bool
) -> RestoreCells:
    """Return what the results say of how a number was restored.

    ``restoring`` is what restored it; ``without`` are the names of numbers that could not be in it, and ``planned``
    tells whether it was known at all which could.
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
            "It is no longer in the account, or could not get back what it had: the card of the change says why.",
        )
    return LEFT, "Somebody has changed it meanwhile, so it was left as it is."

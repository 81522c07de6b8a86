"""The store of runs: what a provider without bulk calls needs, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.changes.model.bulk_runs import Halt, NewNumber, Run, Step
from bot.changes.policy import OnStale


class Runs(Protocol):
    """The runs of one provider, stored durably. When a method returns, its effect is committed.

    A run can be claimed when all of these hold:

    - it is open: not every number of it has an outcome yet;
    - it is due: it was not put off, or the pause is over;
    - nobody holds it: it has no owner, or its owner's claim has expired.

    An owner's notes keep its claim alive; a note after losing it raises :class:`bot.errors.Superseded` and changes
    nothing. The last outcome closes and releases the run, in the same transaction.
    """

    async def open(
        self, reference: str, kind: str, numbers: Sequence[NewNumber], *, on_stale: OnStale = OnStale.STOP
    ) -> Run:
        """Write down a new run; if there is one with ``reference``, return that one and write nothing.

        If ``reference`` was stopped before, the run is written with all its numbers not attempted.
        """
        ...

    async def read(self, run: str) -> Run | None:
        """Return the run as it is now; None when there is none with this id."""
        ...

    async def find(self, reference: str) -> Run | None:
        """Return the run with ``reference``; None when there is none."""
        ...

    async def claim(self, owner: str, limit: int) -> Sequence[str]:
        """Claim up to ``limit`` runs and return their ids, oldest due first."""
        ...

    async def renew(self, owner: str) -> None:
        """Keep everything that ``owner`` holds."""
        ...

    async def note(self, run: str, owner: str, steps: Sequence[Step], *, sending: Sequence[Step] = ()) -> Halt | None:
        """Write down what happened to numbers of the run, and which requests are about to go out.

        An outcome is never overwritten. While the run is halted, nothing of ``sending`` is written and none of its
        requests may go out: the halt is returned. A later freeze or stop waits until this is committed, so nothing is
        marked as sent once people have been told that the run is halted.
        """
        ...

    async def stop(self, run: str, owner: str, *, code: str, reason: str) -> None:
        """Stop the run for good: nothing more of it is sent, and unsent numbers are "not attempted".

        Numbers that may have been sent are still to be checked.
        """
        ...

    async def put_off(self, run: str, owner: str, seconds: float, *, held_back: bool = False) -> None:
        """Give the run back, if it is still open and the owner's, and make it due again after ``seconds``.

        A run that is only ``held_back``, by a freeze or a closed change window, is due at once if that is already over.
        """
        ...

    async def release(self, owner: str) -> None:
        """Give back everything that ``owner`` holds."""
        ...

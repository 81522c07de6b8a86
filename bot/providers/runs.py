"""Where runs are written down: what a provider without a call for many numbers needs of a store, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.changes.model.bulk_runs import Halt, NewNumber, Run, Step
from bot.changes.policy import OnStale


class Runs(Protocol):
    """The runs of one provider, durable. Whatever a method did is committed when it returns.

    A run can be claimed when all of these hold:

    - it is open: not every number of it has an outcome yet;
    - it is due: it was not put off, or the pause is over;
    - nobody holds it: it has no owner, or its owner's claim has run out.

    What an owner notes keeps its claim alive; what it notes after losing it raises :class:`bot.errors.Superseded` and
    changes nothing. With the last outcome the run is closed, in the same transaction, and nobody's.
    """

    async def open(
        self, reference: str, kind: str, numbers: Sequence[NewNumber], *, on_stale: OnStale = OnStale.STOP
    ) -> Run:
        """Write a new run down; when there is one under ``reference``, return that one and write nothing.

        Where ``reference`` was stopped before, the run is written with all its numbers not attempted.
        """
        ...

    async def read(self, run: str) -> Run | None:
        """Return the run as it is now; None when there is none with this id."""
        ...

    async def find(self, reference: str) -> Run | None:
        """Return the run under ``reference``; None when there is none."""
        ...

    async def claim(self, owner: str, limit: int) -> Sequence[str]:
        """Claim up to ``limit`` runs and return their ids, the oldest due first."""
        ...

    async def renew(self, owner: str) -> None:
        """Keep everything that ``owner`` holds."""
        ...

    async def note(self, run: str, owner: str, steps: Sequence[Step], *, sending: Sequence[Step] = ()) -> Halt | None:
        """Write down what happened to numbers of the run, and of which the requests are about to go out.

        An outcome that is there already is never overwritten. While something halts the run, nothing of ``sending`` is
        written and none of its requests may go out: what is in the way is returned. Whoever freezes or stops it after
        that waits until this is committed, so nothing is marked once they have been told that it is halted.
        """
        ...

    async def stop(self, run: str, owner: str, *, code: str, reason: str) -> None:
        """Stop the run for good: nothing more of it is sent, and what was never sent is "not attempted".

        What may have been sent is still to be looked at.
        """
        ...

    async def put_off(self, run: str, owner: str, seconds: float, *, held_back: bool = False) -> None:
        """Give the run back, if it is still the owner's and open, and make it due again after ``seconds``.

        One that is only ``held_back``, by a freeze or a closed change window, is due at once when nothing does by now.
        """
        ...

    async def release(self, owner: str) -> None:
        """Give back everything that ``owner`` holds."""
        ...

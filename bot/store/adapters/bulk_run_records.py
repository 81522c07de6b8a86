"""The runs of one provider, each call in its own transaction: for providers without a bulk API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.changes.model.batches import Batch
from bot.changes.model.bulk_runs import Halt, NewNumber, NumberState, Run, Step
from bot.changes.policy import OnStale, Policies
from bot.changes.policy.windows import Window, open_at
from bot.errors import StoreError
from bot.store.database import Database
from bot.store.transaction import Transaction

#: How long a claim lasts without renewal. It is renewed every few seconds.
LEASE: Final = timedelta(seconds=60)
#: Runs whose change windows are remembered.
_REMEMBERED: Final = 64


class BulkRunRecords:
    """Runs in the database; the contract is that of ``bot.providers.runs.Runs``."""

    def __init__(
        self,
        database: Database,
        provider: str,
        clock: Callable[[], datetime],
        *,
        replica: str = "",
        under_way: timedelta = LEASE,
        policies: Policies | None = None,
    ) -> None:
        """``replica`` holds the runs of this process; without it, each is held by its claimer.

        ``policies`` have the change windows outside which no number of a change is sent. ``under_way`` is the longest
        time that a request noted as about to go out takes.
        """
        self._database = database
        self._provider = provider
        self._clock = clock
        self._replica = replica
        self._under_way = under_way
        self._policies = policies
        #: Run -> the change windows of its change, for the few runs at work.
        self._windows: dict[int, tuple[Window, ...]] = {}
        # A database that is not shared has no other users, so the holder of any of its runs is dead.
        self._freed = database.shared

    async def open(
        self, reference: str, kind: str, numbers: Sequence[NewNumber], *, on_stale: OnStale = OnStale.STOP
    ) -> Run:
        """Write down a new run; if there is one with ``reference``, return that one and write nothing."""
        now = self._clock()
        async with self._database.transaction() as tx:
            await tx.runs.add(self._provider, reference, kind, numbers, on_stale=on_stale, now=now)
            run = await tx.runs.under(self._provider, reference, now)
        if run is None:
            raise StoreError(f"The run {reference} was written and is not there.")
        return run

    async def read(self, run: str) -> Run | None:
        """Return the run as it is now; None when there is none with this id."""
        if not (run.isascii() and run.isdigit()):
            return None
        async with self._database.reading() as tx:
            found = await tx.runs.get(self._provider, int(run), self._clock())
            return None if found is None else replace(found, halt=await self._halt(tx, int(run)))

    async def find(self, reference: str) -> Run | None:
        """Return the run with ``reference``; None when there is none."""
        async with self._database.reading() as tx:
            return await tx.runs.under(self._provider, reference, self._clock())

    async def claim(self, owner: str, limit: int) -> Sequence[str]:
        """Claim up to ``limit`` runs and return their ids, oldest due first; none while our clock is off."""
        if self._database.skew:
            return ()
        async with self._database.transaction() as tx:
            if not self._freed:
                await tx.runs.take_from_others(self._provider, self._owner(owner))
            claimed = await tx.runs.claim(
                self._provider, owner=self._owner(owner), now=self._clock(), lease=LEASE, limit=limit
            )
        self._freed = True
        return [str(run) for run in claimed]

    async def renew(self, owner: str) -> None:
        """Keep everything that ``owner`` holds."""
        async with self._database.transaction() as tx:
            await tx.runs.extend(self._owner(owner), self._clock() + LEASE)

    async def note(self, run: str, owner: str, steps: Sequence[Step], *, sending: Sequence[Step] = ()) -> Halt | None:
        """Write down what happened to numbers of the run, and what is about to be sent unless the run is halted.

        Raises Superseded when another worker holds it now.
        """
        now = self._clock()
        async with self._database.transaction() as tx:
            busy = self._clock() + self._under_way if sending else None
            await tx.runs.hold(int(run), self._owner(owner), now + LEASE, busy_until=busy)
            halt = await self._halt(tx, int(run)) if sending else None
            await tx.runs.note(int(run), [*steps, *(() if halt else sending)])
            if any(step.state is NumberState.WAITING for step in steps):
                await tx.runs.stop_if_called_off(int(run), now)
            if any(step.state.over for step in steps):
                await tx.runs.close_if_over(int(run), now)
        return halt

    async def stop(self, run: str, owner: str, *, code: str, reason: str) -> None:
        """Stop the run for good: nothing more of it is sent, and unsent numbers are "not attempted".

        Raises Superseded as :meth:`note` does.
        """
        now = self._clock()
        async with self._database.transaction() as tx:
            await tx.runs.hold(int(run), self._owner(owner), now + LEASE)
            if (found := await tx.runs.get(self._provider, int(run), now)) is not None:
                await tx.runs.call_off(self._provider, [found.reference], code=code, reason=reason, now=now)

    async def put_off(self, run: str, owner: str, seconds: float, *, held_back: bool = False) -> None:
        """Give the run back, if it is still the owner's and open, and make it due again after ``seconds``.

        A run that is only ``held_back`` is due at once if nothing holds it back any more: lifting a freeze could not
        hasten it while it was claimed.
        """
        async with self._database.transaction() as tx:
            if held_back and await self._halt(tx, int(run)) is None:
                seconds = 0.0
            await tx.runs.put_off(int(run), self._owner(owner), self._clock() + timedelta(seconds=seconds))

    async def release(self, owner: str) -> None:
        """Give back everything that ``owner`` holds."""
        async with self._database.transaction() as tx:
            await tx.runs.release(self._owner(owner))

    async def _halt(self, tx: Transaction, run: int) -> Halt | None:
        """Return why no waiting number of the run may be sent now; None when they may."""
        if (halt := await tx.runs.halt(run)) is not None or self._policies is None:
            return halt
        windows = await self._windows_of(tx, run, self._policies)
        return None if open_at(windows, self._clock()) else Halt.outside_window()

    async def _windows_of(self, tx: Transaction, run: int, policies: Policies) -> tuple[Window, ...]:
        """Return the change windows of the run's change; this is asked repeatedly while the run is at work."""
        if run not in self._windows:
            change = Batch.change_of(await tx.runs.reference(run))
            if change is None:
                return ()
            found = await tx.changes.get(change)
            if len(self._windows) >= _REMEMBERED:
                self._windows.clear()
            self._windows[run] = policies.terms(found.kind, found.size, found.names).windows
        return self._windows[run]

    def _owner(self, owner: str) -> str:
        return self._replica or owner

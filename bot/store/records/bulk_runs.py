"""Runs, one row each, and their numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.bulk_runs import Halt, NewNumber, NumberState, Run, RunNumber, Step
from bot.changes.model.values import values_from_json, values_to_json
from bot.changes.policy import OnStale
from bot.errors import Superseded
from bot.store.queue.claims import claim_due, claiming
from bot.store.tables import freezes, run_numbers, run_stops, runs
from bot.telemetry import tracing

_UNDECIDED = (NumberState.WAITING.value, NumberState.SENT.value)
_CLAIMING = claiming(runs, condition=runs.c.open.is_(True) & (runs.c.provider == bindparam("claim_provider")))


class BulkRuns:
    """The tables of runs and of their numbers."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(
        self,
        provider: str,
        reference: str,
        kind: str,
        numbers: Sequence[NewNumber],
        *,
        on_stale: OnStale,
        now: datetime,
    ) -> None:
        """Write a run with all its numbers; if there is one with the reference already, write nothing."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = (
            dialect.insert(runs)
            .values(
                provider=provider,
                reference=reference,
                kind=kind,
                on_stale=on_stale.value,
                trace=tracing.here(),
                open=True,
                created_at=now,
                due_at=now,
            )
            .on_conflict_do_nothing(index_elements=["provider", "reference"])
            .returning(runs.c.id)
        )
        run = (await self._connection.execute(statement)).scalar()
        if run is None or not numbers:
            return
        rows = [
            {
                "run_id": run,
                "position": position,
                "number_id": number.id,
                "e164": number.e164,
                "before": values_to_json(number.before),
                "wanted": values_to_json(number.wanted),
                "state": NumberState.WAITING.value,
            }
            for position, number in enumerate(numbers)
        ]
        await self._connection.execute(run_numbers.insert(), rows)
        await self.stop_if_called_off(run, now)

    async def get(self, provider: str, run: int, now: datetime) -> Run | None:
        """Return the run with its numbers; None when the provider has no run with this id."""
        statement = select(runs).where(runs.c.id == run, runs.c.provider == provider)
        return await self._whole((await self._connection.execute(statement)).first(), now)

    async def under(self, provider: str, reference: str, now: datetime) -> Run | None:
        """Return the run with ``reference``; None when there is none."""
        statement = select(runs).where(runs.c.provider == provider, runs.c.reference == reference)
        return await self._whole((await self._connection.execute(statement)).first(), now)

    async def _whole(self, row: Row[Any] | None, now: datetime) -> Run | None:
        if row is None:
            return None
        statement = select(run_numbers).where(run_numbers.c.run_id == row.id).order_by(run_numbers.c.position)
        numbers = tuple(_number(number) for number in await self._connection.execute(statement))
        return Run(
            id=str(row.id),
            reference=row.reference,
            kind=row.kind,
            created_at=row.created_at,
            started_at=row.started_at,
            over_at=row.over_at,
            read_at=now,
            numbers=numbers,
            on_stale=OnStale(row.on_stale),
            halt=await self.halt(row.id),
            trace=row.trace,
        )

    async def reference(self, run: int) -> str:
        """Return the reference of the run; empty when there is no run with this id."""
        found: str | None = await self._connection.scalar(select(runs.c.reference).where(runs.c.id == run))
        return found or ""

    async def halt(self, run: int) -> Halt | None:
        """Return why no waiting number of the run may be sent: it was stopped, or frozen; None when they may."""
        stopped = (
            select(run_stops.c.code, run_stops.c.reason)
            .join(runs, (runs.c.provider == run_stops.c.provider) & (runs.c.reference == run_stops.c.reference))
            .where(runs.c.id == run)
        )
        if (row := (await self._connection.execute(stopped)).first()) is not None:
            return Halt(code=row.code, reason=row.reason)
        frozen = select(exists().where(freezes.c.lifted_at.is_(None)))
        return Halt() if await self._connection.scalar(frozen) else None

    async def call_off(
        self, provider: str, references: Collection[str], *, code: str, reason: str, now: datetime
    ) -> None:
        """Send nothing more of the runs with ``references``, including runs not written yet.

        Their waiting numbers are not attempted, with ``code`` and ``reason``; requests under way end by themselves.
        """
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        rows = [
            {"provider": provider, "reference": each, "code": code[:64], "reason": reason, "at": now}
            for each in references
        ]
        if not rows:
            return
        await self._connection.execute(dialect.insert(run_stops).values(rows).on_conflict_do_nothing())
        found = select(runs.c.id).where(
            runs.c.provider == provider, runs.c.reference.in_(list(references)), runs.c.open.is_(True)
        )
        for run in (await self._connection.execute(found.order_by(runs.c.id))).scalars().all():
            await self.stop(run, code=code, reason=reason)
            await self.close_if_over(run, now)

    async def stop_if_called_off(self, run: int, now: datetime) -> None:
        """Give the waiting numbers of a run the outcome of the others, if it was called off before it was written."""
        halt = await self.halt(run)
        if halt is not None and halt.for_good:
            await self.stop(run, code=halt.code, reason=halt.reason)
            await self.close_if_over(run, now)

    async def tally(self, provider: str, references: Collection[str]) -> Mapping[NumberState, int]:
        """Return how many numbers of the runs under ``references`` are in each state."""
        statement = (
            select(run_numbers.c.state, func.count())
            .join(runs, runs.c.id == run_numbers.c.run_id)
            .where(runs.c.provider == provider, runs.c.reference.in_(list(references)))
            .group_by(run_numbers.c.state)
        )
        return {NumberState(state): count for state, count in await self._connection.execute(statement)}

    async def hasten(self, now: datetime) -> None:
        """Make every open, unclaimed run due now: what it waited for is over."""
        waiting = runs.c.open.is_(True) & runs.c.owner.is_(None) & (runs.c.due_at > now)
        await self._connection.execute(update(runs).where(waiting).values(due_at=now))

    async def claim(self, provider: str, *, owner: str, now: datetime, lease: timedelta, limit: int) -> Sequence[int]:
        """Claim up to ``limit`` open runs of the provider; :mod:`bot.store.queue.claims` says which can be claimed."""
        rows = await claim_due(
            self._connection, _CLAIMING, owner=owner, now=now, lease=lease, limit=limit, claim_provider=provider
        )
        if not (ids := [row.id for row in rows]):
            return []
        begun = update(runs).where(runs.c.id.in_(ids), runs.c.started_at.is_(None)).values(started_at=now)
        await self._connection.execute(begun)
        return ids

    async def hold(self, run: int, owner: str, until: datetime, *, busy_until: datetime | None = None) -> None:
        """Keep the run until ``until``; raises Superseded when ``owner`` no longer holds it.

        With ``busy_until``, a request is about to go out, and nobody may take the run over before that time.
        """
        statement = update(runs).where(runs.c.id == run, runs.c.owner == owner).values(claimed_until=until)
        if busy_until is not None:
            statement = statement.values(busy_until=busy_until)
        if (await self._connection.execute(statement)).rowcount != 1:
            raise Superseded("The run is somebody else's now.")

    async def extend(self, owner: str, until: datetime) -> None:
        """Keep everything that ``owner`` holds until ``until``."""
        await self._connection.execute(update(runs).where(runs.c.owner == owner).values(claimed_until=until))

    async def note(self, run: int, steps: Sequence[Step]) -> None:
        """Write down what happened to numbers. An outcome is never overwritten."""
        # Not IN: SQLAlchemy does not expand it for many rows at once.
        undecided = or_(*(run_numbers.c.state == state for state in _UNDECIDED))
        statement = (
            update(run_numbers)
            .where(run_numbers.c.run_id == run, run_numbers.c.position == bindparam("at_position"), undecided)
            .values(
                state=bindparam("new_state"),
                code=bindparam("new_code"),
                reason=bindparam("new_reason"),
                pointer=bindparam("new_pointer"),
                rests=bindparam("new_rests"),
            )
        )
        rows = [
            {
                "at_position": step.position,
                "new_state": step.state.value,
                "new_code": step.code[:64],
                "new_reason": step.reason,
                "new_pointer": step.pointer,
                "new_rests": step.rests,
            }
            for step in steps
        ]
        if rows:
            await self._connection.execute(statement, rows)

    async def stop(self, run: int, *, code: str, reason: str) -> None:
        """Give every unsent number the outcome "not attempted"."""
        statement = (
            update(run_numbers)
            .where(run_numbers.c.run_id == run, run_numbers.c.state == NumberState.WAITING.value)
            .values(state=NumberState.NOT_ATTEMPTED.value, code=code[:64], reason=reason)
        )
        await self._connection.execute(statement)

    async def close_if_over(self, run: int, now: datetime) -> None:
        """Close and release the run when every number of it has an outcome."""
        undecided = select(run_numbers.c.position).where(
            run_numbers.c.run_id == run, run_numbers.c.state.in_(_UNDECIDED)
        )
        statement = (
            update(runs)
            .where(runs.c.id == run, ~undecided.exists())
            .values(open=False, over_at=now, owner=None, claimed_until=None)
        )
        await self._connection.execute(statement)

    async def put_off(self, run: int, owner: str, until: datetime) -> None:
        """Give the run back and make it due at ``until``; does nothing unless ``owner`` holds it."""
        mine = (runs.c.id == run) & (runs.c.owner == owner)
        await self._connection.execute(update(runs).where(mine).values(due_at=until, owner=None, claimed_until=None))

    async def release(self, owner: str) -> None:
        """Give back everything that ``owner`` holds."""
        await self._connection.execute(update(runs).where(runs.c.owner == owner).values(owner=None, claimed_until=None))

    async def take_from_others(self, provider: str, owner: str) -> None:
        """Free the claims of others on the provider's runs; only for a database that nobody else can be using."""
        held = runs.c.owner.is_not(None) & (runs.c.owner != owner) & (runs.c.provider == provider)
        await self._connection.execute(update(runs).where(held).values(owner=None, claimed_until=None))


def _number(row: Row[Any]) -> RunNumber:
    return RunNumber(
        position=row.position,
        id=row.number_id,
        e164=row.e164,
        before=values_from_json(row.before),
        wanted=values_from_json(row.wanted),
        state=NumberState(row.state),
        code=row.code,
        reason=row.reason,
        pointer=row.pointer,
        rests=row.rests,
    )

"""Changes, one row each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.batches import Tally
from bot.changes.model.change import Change
from bot.changes.model.draft import Draft, FollowUp
from bot.changes.model.lifecycle import CHANGE_STEPS, ChangeState, Outcome, before
from bot.changes.model.messages import MessageRef
from bot.changes.model.public_ids import public_id
from bot.changes.model.rollout import PauseReason
from bot.changes.model.start import End, Start
from bot.changes.model.summary import Summary
from bot.errors import NotFound, Superseded
from bot.store.queue.tasks import Task, Tasks
from bot.store.records.documents import draft_from_json, draft_to_json, summary_from_json, summary_to_json
from bot.store.records.locks import Locks
from bot.store.records.secrets import Secrets
from bot.store.tables import batches, changes
from bot.telemetry import tracing


class Changes:
    """The table of changes."""

    def __init__(self, connection: AsyncConnection, secrets: Secrets) -> None:
        self._connection = connection
        self._secrets = secrets

    async def submitted_as(self, submission: str) -> int | None:
        """Return the id of the change that this press of a modal's button made; None when there is none yet."""
        found: int | None = await self._connection.scalar(
            select(changes.c.id).where(changes.c.submission == submission)
        )
        return found

    async def add(
        self,
        draft: Draft,
        *,
        requester: str,
        origin: str,
        view: str,
        submission: str | None,
        now: datetime,
        part_of: int | None = None,
        revises: Change | None = None,
    ) -> int:
        """Write a new change in state ``planning`` and return its id."""
        statement = changes.insert().values(
            kind=draft.kind,
            state=ChangeState.PLANNING.value,
            requester=requester,
            origin=origin,
            view=view,
            submission=submission,
            draft=draft_to_json(draft),
            trace=tracing.here(),
            follows=draft.base.change if draft.base else None,
            part_of=part_of,
            revises=revises.id if revises else None,
            former_digest=revises.digest if revises else "",
            created_at=now,
        )
        result = await self._connection.execute(statement)
        return int(result.inserted_primary_key[0])  # type: ignore[index]  # an INSERT of one row has a key

    async def get(self, change: int) -> Change:
        """Return the change; raises NotFound."""
        row = (await self._connection.execute(select(changes).where(changes.c.id == change))).first()
        if row is None:
            raise NotFound(f"There is no {public_id(change)}.")
        tracing.about(change, row.trace)
        return _change(row)

    async def hold(self, change: int) -> Change:
        """Return the change and keep other writers from it until the transaction ends."""
        # Adding rows that refer to it stays possible: an event does so while it holds the audit log's head.
        statement = select(changes).where(changes.c.id == change).with_for_update(key_share=True)
        row = (await self._connection.execute(statement)).first()
        if row is None:
            raise NotFound(f"There is no {public_id(change)}.")
        tracing.about(change, row.trace)
        return _change(row)

    async def trace(self, change: int) -> str:
        """Return the context of the change's trace; empty when it has none."""
        return (await self._connection.scalar(select(changes.c.trace).where(changes.c.id == change))) or ""

    async def trace_of_batch(self, batch: int) -> str:
        """Return the same for the change that a batch belongs to."""
        statement = select(changes.c.trace).join(batches, batches.c.change_id == changes.c.id)
        return (await self._connection.scalar(statement.where(batches.c.id == batch))) or ""

    async def move(
        self,
        change: int,
        to: ChangeState,
        *,
        editing: bool = False,
        **columns: Any,  # noqa: ANN401 - column values
    ) -> None:
        """Take the change to state ``to`` in one conditional write.

        ``editing`` means that the form of a discarded change is open again: its content, including secrets, then stays
        until :meth:`bot.store.records.secrets.Secrets.wipe_draft`.

        Raises :class:`bot.errors.Superseded` when the lifecycle has no such step from the current state. So only one of
        two clicks has an effect.
        """
        origins = [state.value for state in before(CHANGE_STEPS, to)]
        statement = (
            update(changes)
            .where(changes.c.id == change, changes.c.state.in_(origins))
            .values(state=to.value, **_plain(columns))
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            present = (await self.get(change)).state.phrase
            raise Superseded(f"{public_id(change)} is already {present}.")
        if to.over:
            # Every ending releases the locks and wipes the secrets; here, no ending can forget them.
            await Locks(self._connection).release(change)
            await self._secrets.wipe_change(change)
            await self._hasten_end(change)
        if to is ChangeState.AWAITING_APPROVAL or (to.over and not editing):
            await self._secrets.wipe_draft(change)
        if to in {ChangeState.PLANNED, ChangeState.DISCARDED}:
            await self._secrets.wipe_replaced(by=change)

    async def _hasten_end(self, part: int) -> None:
        """If ``part`` is part of a temporary change, have that change checked again: it may be over too."""
        statement = select(changes.c.part_of, changes.c.finished_at).where(changes.c.id == part)
        row = (await self._connection.execute(statement)).one()
        if row.part_of is not None:
            await Tasks(self._connection).hasten(Task.END, row.finished_at, [row.part_of])

    async def put(self, change: int, **columns: Any) -> None:  # noqa: ANN401 - column values
        """Write columns that are not part of the lifecycle."""
        await self._connection.execute(update(changes).where(changes.c.id == change).values(**_plain(columns)))

    async def newest(self, states: Iterable[ChangeState], limit: int) -> list[Change]:
        """Return changes that are in one of ``states``, newest first."""
        wanted = [state.value for state in states]
        statement = select(changes).where(changes.c.state.in_(wanted)).order_by(changes.c.id.desc()).limit(limit)
        return [_change(row) for row in await self._connection.execute(statement)]

    async def followers(self, change: int) -> Sequence[tuple[int, FollowUp]]:
        """Return the changes that retry or undo ``change``, oldest first, each with which of the two it is."""
        unasked = (ChangeState.PLANNING.value, ChangeState.PLANNED.value, ChangeState.DISCARDED.value)
        statement = (
            select(changes.c.id, changes.c.draft)
            .where(changes.c.follows == change, changes.c.state.not_in(unasked))
            .order_by(changes.c.id)
        )
        rows = [(row.id, draft_from_json(row.draft).base) for row in await self._connection.execute(statement)]
        return [(follower, base.what) for follower, base in rows if base is not None]

    async def whole(self, change: int) -> int:
        """Return the temporary change that ``change`` is a part of; otherwise ``change`` itself."""
        part_of: int | None = await self._connection.scalar(select(changes.c.part_of).where(changes.c.id == change))
        return change if part_of is None else part_of

    async def part(self, change: int, what: FollowUp) -> Change | None:
        """Return the newest part of a temporary change that restores or extends it; None without one."""
        row = (await self._connection.execute(_parts(change, what).order_by(changes.c.id.desc()).limit(1))).first()
        return _change(row) if row is not None else None

    async def parts(self, change: int, what: FollowUp) -> list[Change]:
        """Return all parts of a temporary change that restore or extend it, the oldest first."""
        return [_change(row) for row in await self._connection.execute(_parts(change, what).order_by(changes.c.id))]

    async def asks(self, change: int) -> bool:
        """Tell whether ``change`` has a request for approval of its own; a restore has none."""
        statement = select(changes.c.part_of, changes.c.approval_card_channel).where(changes.c.id == change)
        row = (await self._connection.execute(statement)).one()
        return row.part_of is None or row.approval_card_channel != ""

    async def scheduled(self, *, requester: str = "", limit: int) -> Sequence[Change]:
        """Return changes waiting for their time, the next first: undecided ones with a start, and approved ones."""
        undecided = (changes.c.state == ChangeState.AWAITING_APPROVAL.value) & changes.c.starts_at.is_not(None)
        statement = (
            select(changes)
            .where(undecided | (changes.c.state == ChangeState.APPROVED.value))
            .order_by(changes.c.starts_at.asc().nulls_first(), changes.c.id)
            .limit(limit)
        )
        if requester:
            statement = statement.where(changes.c.requester == requester)
        return [_change(row) for row in await self._connection.execute(statement)]

    async def undecided(self) -> Sequence[int]:
        """Return every request that waits for approval."""
        waiting = select(changes.c.id).where(changes.c.state == ChangeState.AWAITING_APPROVAL.value)
        return list((await self._connection.execute(waiting.order_by(changes.c.id))).scalars())

    async def count(self) -> Mapping[ChangeState, int]:
        """Return how many changes are in each state."""
        statement = select(changes.c.state, func.count()).group_by(changes.c.state)
        return {ChangeState(state): count for state, count in await self._connection.execute(statement)}


def _parts(change: int, what: FollowUp) -> Select[Any]:
    sort = changes.c.draft["base"]["what"].as_string()
    return select(changes).where(changes.c.part_of == change, sort == what.value)


def _plain(columns: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in columns.items():
        match value:
            case Summary():
                plain[name] = summary_to_json(value)
            case Draft():
                plain[name] = draft_to_json(value)
            case Tally():
                plain[name] = asdict(value)
            case Outcome() | PauseReason():
                plain[name] = value.value
            case End():
                plain["ends_at"], plain["ends_zone"] = value.at, value.zone
            case Start():
                plain["starts_at"], plain["starts_zone"] = value.at, value.zone
            case None if name in {"start", "until"}:
                continue
            case MessageRef():
                plain[f"{name}_channel"], plain[f"{name}_ts"] = value.channel, value.ts
            case _:
                plain[name] = value
    return plain


def _change(row: Row[Any]) -> Change:
    return Change(
        id=row.id,
        kind=row.kind,
        state=ChangeState(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        requester=row.requester,
        draft=draft_from_json(row.draft),
        origin=row.origin,
        view=row.view,
        summary=summary_from_json(row.summary) if row.summary else None,
        digest=row.digest,
        problem=row.problem,
        # Earlier versions stored only the names.
        unusable=tuple((names,) if isinstance(names, str) else tuple(names) for names in row.unusable or ()),
        foreign=tuple(row.foreign_columns or ()),
        replaced_by=row.replaced_by,
        stopped_at=row.stopped_at,
        approvals_required=row.approvals_required,
        rule=row.rule,
        card=MessageRef(channel=row.card_channel, ts=row.card_ts),
        approval_card=MessageRef(channel=row.approval_card_channel, ts=row.approval_card_ts),
        created_at=row.created_at,
        requested_at=row.requested_at,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        read_backs=row.read_backs,
        failed_reads=row.failed_reads,
        verifying_at=row.verifying_at,
        waiting_for=row.waiting_for,
        kept=Tally(**row.kept) if row.kept else None,
        pruned_at=row.pruned_at,
        wave=row.wave,
        continued_at=row.continued_at,
        paused_for=PauseReason(row.paused_for) if row.paused_for else None,
        resumes_at=row.resumes_at,
        start=Start(at=row.starts_at, zone=row.starts_zone) if row.starts_at else None,
        until=End(at=row.ends_at, zone=row.ends_zone) if row.ends_at else None,
        part_of=row.part_of,
        revises=row.revises,
        former_digest=row.former_digest,
    )

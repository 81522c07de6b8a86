"""Changes, one row each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.lifecycle import CHANGE_STEPS, ChangeState, Outcome, before
from bot.changes.records import Change, Draft, Held, Place, Summary, public_id
from bot.changes.values import JSON, values_from_json, values_to_json
from bot.errors import NotFound, Superseded
from bot.store.locks import Locks
from bot.store.tables import changes


class Changes:
    """The table of changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def submitted_as(self, submission: str) -> int | None:
        """Return the id of the change that this press of a modal's button made; None when it made none yet."""
        found: int | None = await self._connection.scalar(
            select(changes.c.id).where(changes.c.submission == submission)
        )
        return found

    async def add(
        self, draft: Draft, *, requester: str, origin: str, view: str, submission: str | None, now: datetime
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
            created_at=now,
        )
        result = await self._connection.execute(statement)
        return int(result.inserted_primary_key[0])  # type: ignore[index]  # an INSERT of one row has a key

    async def get(self, change: int) -> Change:
        """Return the change; raises NotFound."""
        row = (await self._connection.execute(select(changes).where(changes.c.id == change))).first()
        if row is None:
            raise NotFound(f"There is no {public_id(change)}.")
        return _change(row)

    async def hold(self, change: int) -> Change:
        """Return the change and keep other writers from it until the transaction ends."""
        statement = select(changes).where(changes.c.id == change).with_for_update()
        row = (await self._connection.execute(statement)).first()
        if row is None:
            raise NotFound(f"There is no {public_id(change)}.")
        return _change(row)

    async def move(self, change: int, to: ChangeState, **columns: Any) -> None:  # noqa: ANN401 - column values
        """Take the change to state ``to`` in one conditional write.

        Raises :class:`bot.errors.Superseded` when the change is in a state from which the lifecycle has no such step,
        which is how of two clicks only one has an effect.
        """
        origins = [state.value for state in before(CHANGE_STEPS, to)]
        statement = (
            update(changes)
            .where(changes.c.id == change, changes.c.state.in_(origins))
            .values(state=to.value, **_plain(columns))
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            present = (await self.get(change)).state.value.replace("_", " ")
            raise Superseded(f"{public_id(change)} is {present} already.")
        if to.over:
            # Locks go with the change in every ending; here, no ending can forget them.
            await Locks(self._connection).release(change)

    async def put(self, change: int, **columns: Any) -> None:  # noqa: ANN401 - column values
        """Write columns that are not part of the lifecycle."""
        await self._connection.execute(update(changes).where(changes.c.id == change).values(**_plain(columns)))

    async def list(
        self,
        *,
        states: Iterable[ChangeState] = (),
        requester: str = "",
        limit: int = 20,
        offset: int = 0,
    ) -> list[Change]:
        """Return changes, newest first."""
        statement = select(changes).order_by(changes.c.id.desc()).limit(limit).offset(offset)
        if wanted := [state.value for state in states]:
            statement = statement.where(changes.c.state.in_(wanted))
        if requester:
            statement = statement.where(changes.c.requester == requester)
        return [_change(row) for row in await self._connection.execute(statement)]

    async def count(self) -> Mapping[ChangeState, int]:
        """Return how many changes are in each state."""
        statement = select(changes.c.state, func.count()).group_by(changes.c.state)
        return {ChangeState(state): count for state, count in await self._connection.execute(statement)}


def _plain(columns: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in columns.items():
        match value:
            case Summary():
                plain[name] = _summary_to_json(value)
            case Outcome():
                plain[name] = value.value
            case Place():
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
        summary=_summary_from_json(row.summary) if row.summary else None,
        digest=row.digest,
        problem=row.problem,
        unusable=tuple(row.unusable or ()),
        replaced_by=row.replaced_by,
        stopped_at=row.stopped_at,
        approvals_required=row.approvals_required,
        rule=row.rule,
        card=Place(channel=row.card_channel, ts=row.card_ts),
        approval_card=Place(channel=row.approval_card_channel, ts=row.approval_card_ts),
        created_at=row.created_at,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def draft_to_json(draft: Draft) -> dict[str, JSON]:
    """Return the draft in the form in which it is stored."""
    return {
        "kind": draft.kind,
        "pasted": list(draft.pasted),
        "chosen": list(draft.chosen),
        "typed": values_to_json(draft.typed),
        "picked": dict(draft.picked),
        "reason": draft.reason,
        "filters": dict(draft.filters),
        "excluded": draft.excluded,
        "left_out": list(draft.left_out),
    }


def draft_from_json(stored: Mapping[str, Any]) -> Draft:
    """Return the draft that :func:`draft_to_json` stored."""
    return Draft(
        kind=stored["kind"],
        pasted=tuple(stored["pasted"]),
        chosen=tuple(stored["chosen"]),
        typed=values_from_json(stored["typed"]),
        picked=stored["picked"],
        reason=stored["reason"],
        filters=stored.get("filters", {}),
        excluded=stored.get("excluded", ""),
        left_out=tuple(stored.get("left_out", ())),
    )


def _summary_to_json(summary: Summary) -> dict[str, Any]:
    return {
        "numbers": summary.numbers,
        "unchanged": summary.unchanged,
        "batches": summary.batches,
        "wanted": values_to_json(summary.wanted),
        "labels": {name: dict(labels) for name, labels in summary.labels.items()},
        "repeats": summary.repeats,
        "sample": [[e164, values_to_json(old), values_to_json(new)] for e164, old, new in summary.sample],
        "paid": dict(summary.paid),
        "losing": dict(summary.losing),
        "left_out": summary.left_out,
        "conditions": list(summary.conditions),
        "locked": [[h.change, h.requester, h.since.isoformat(), h.numbers] for h in summary.locked],
    }


def _summary_from_json(stored: Mapping[str, Any]) -> Summary:
    return Summary(
        numbers=stored["numbers"],
        unchanged=stored["unchanged"],
        batches=stored["batches"],
        wanted=values_from_json(stored["wanted"]),
        labels=stored["labels"],
        repeats=stored["repeats"],
        sample=tuple((e164, values_from_json(old), values_from_json(new)) for e164, old, new in stored["sample"]),
        paid=stored["paid"],
        losing=stored.get("losing", {}),
        left_out=stored.get("left_out", 0),
        conditions=tuple(stored.get("conditions", ())),
        locked=tuple(
            Held(change=change, requester=requester, since=datetime.fromisoformat(since), numbers=numbers)
            for change, requester, since, numbers in stored.get("locked", ())
        ),
    )

"""Lists of changes, and the history of one number, read in pages.

Nothing here reads a whole draft or plan, and later pages cost no more than the first: each requested state has its own
short walk along an index, from the cursor on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, exists, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.input.list_query import ListQuery
from bot.changes.model.batches import Tally
from bot.changes.model.decisions import DecisionVerb
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.changes.model.list_rows import Cursor, HistoryRow, ListRow
from bot.changes.model.messages import MessageRef
from bot.store.records import operation_rows
from bot.store.tables import changes, decisions, operations

#: Rows read around the beginning of a day: replicas' clocks differ a little, so the order of ids and times may too.
_NEIGHBOURS: Final = 50
#: Changes that a number's history leaves out: their approval has not been requested.
_PRIVATE: Final = tuple(s.value for s in (ChangeState.PLANNING, ChangeState.PLANNED, ChangeState.DISCARDED))

#: The columns of a list row; of the JSON documents, only the named parts.
_COLUMNS: Final = (
    changes.c.id,
    changes.c.kind,
    changes.c.state,
    changes.c.outcome,
    changes.c.requester,
    changes.c.draft["reason"].as_string().label("reason"),
    changes.c.summary["numbers"].as_integer().label("numbers"),
    changes.c.summary["unknown"].as_integer().label("unknown"),
    changes.c.summary["wanted"].label("wanted"),
    changes.c.summary["varied"].label("varied"),
    changes.c.kept,
    changes.c.card_channel,
    changes.c.card_ts,
    changes.c.created_at,
    changes.c.requested_at,
    changes.c.asked_at,
    changes.c.started_at,
    changes.c.ends_at,
)


class ListRows:
    """Changes and numbers for lists."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self, listing: ListQuery, kinds: Collection[str], *, cursor: Cursor | None = None, limit: int
    ) -> list[ListRow]:
        """Return up to ``limit`` changes of ``kinds``, from the cursor on, for ``cut``."""
        common: list[ColumnElement[bool]] = [changes.c.kind.in_(sorted(set(kinds) & set(listing.kinds or kinds)))]
        if listing.people:
            common.append(changes.c.requester.in_(listing.people))
        common += await self._days(listing)
        order = changes.c.id.asc() if cursor and cursor.newer else changes.c.id.desc()
        if cursor is not None:
            common.append(changes.c.id > cursor.id if cursor.newer else changes.c.id < cursor.id)
        walks = []
        for state, outcome in listing.ends:
            ended = changes.c.outcome.is_(None) if outcome is None else changes.c.outcome == outcome.value
            walk = select(changes.c.id).where(changes.c.state == state.value, ended, *common)
            walks.append(select(walk.order_by(order).limit(limit).subquery().c.id))
        ids = union_all(*walks).subquery()
        statement = select(*_COLUMNS).where(changes.c.id.in_(select(ids.c.id))).order_by(order).limit(limit)
        return await self._read(statement)

    async def undecided(self, person: str, kinds: Collection[str], *, limit: int) -> list[ListRow]:
        """Return the requests that ``person`` has not decided on, longest-waiting first."""
        decided = exists().where(
            decisions.c.change_id == changes.c.id,
            decisions.c.person == person,
            decisions.c.verb != DecisionVerb.ASK_FOR_CHANGES.value,  # that was about a previous plan
            decisions.c.lapse == "",
        )
        statement = (
            select(*_COLUMNS)
            .where(
                changes.c.state == ChangeState.AWAITING_APPROVAL.value,
                changes.c.outcome.is_(None),
                changes.c.kind.in_(sorted(kinds)),
                ~decided,
            )
            .order_by(changes.c.id)
            .limit(limit)
        )
        return await self._read(statement)

    async def history(
        self, *, e164: str = "", number_id: str = "", cursor: Cursor | None = None, limit: int
    ) -> list[HistoryRow]:
        """Return what changes did to one number, from the cursor on; named in both ways, E.164 counts.

        A number that returns under a new id keeps its history.
        """
        order = operations.c.change_id.asc() if cursor and cursor.newer else operations.c.change_id.desc()
        statement = (
            select(*operation_rows.OPERATION)
            .join(changes, changes.c.id == operations.c.change_id)
            .where(_named(e164, number_id), changes.c.state.not_in(_PRIVATE))
            .order_by(order)
            .limit(limit)
        )
        if cursor is not None:
            side = operations.c.change_id > cursor.id if cursor.newer else operations.c.change_id < cursor.id
            statement = statement.where(side)
        found = [operation_rows.to_operation(row) for row in await self._connection.execute(statement)]
        told = select(*_COLUMNS, changes.c.summary["labels"].label("labels")).where(
            changes.c.id.in_([operation.change for operation in found])
        )
        heads = {row.id: (_list_row(row, Tally()), row.labels) for row in await self._connection.execute(told)}
        return [
            HistoryRow(change=heads[each.change][0], operation=each, labels=heads[each.change][1] or {})
            for each in found
        ]

    async def known(self, *, e164: str = "", number_id: str = "") -> tuple[str, str]:
        """Return the (id, E.164) of the number in the latest plan that had it; empty texts if none had."""
        statement = (
            select(operations.c.number_id, operations.c.e164)
            .where(_named(e164, number_id))
            .order_by(operations.c.change_id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).first()
        return (row.number_id, row.e164) if row is not None else ("", "")

    async def _days(self, listing: ListQuery) -> list[ColumnElement[bool]]:
        """Return the conditions for the days; the first day also as an id, where the walks can stop."""
        conditions: list[ColumnElement[bool]] = []
        if listing.since is not None:
            begin = _midnight(listing.since)
            near = select(changes.c.id).where(changes.c.created_at >= begin).order_by(changes.c.created_at)
            near_ids = near.limit(_NEIGHBOURS).subquery()
            first = await self._connection.scalar(select(func.min(near_ids.c.id)))
            # Without such a change the page is empty: no id is below 1.
            conditions += [changes.c.created_at >= begin, changes.c.id >= first if first else changes.c.id < 1]
        if listing.until is not None:
            end = _midnight(min(listing.until, _LAST_DAY)) + timedelta(days=1)
            near = select(changes.c.id).where(changes.c.created_at < end).order_by(changes.c.created_at.desc())
            near_ids = near.limit(_NEIGHBOURS).subquery()
            last = await self._connection.scalar(select(func.max(near_ids.c.id)))
            conditions += [changes.c.created_at < end, changes.c.id <= (last or 0)]
        return conditions

    async def _read(self, statement: Select[Any]) -> list[ListRow]:
        rows = (await self._connection.execute(statement)).all()
        tallies = await self._tallies([row.id for row in rows if row.started_at is not None])
        return [_list_row(row, tallies.get(row.id, Tally())) for row in rows]

    async def _tallies(self, ids: Sequence[int]) -> Mapping[int, Tally]:
        """Count the numbers of changes by state, from an index alone."""
        if not ids:
            return {}
        statement = (
            select(operations.c.change_id, operations.c.state, func.count().label("numbers"))
            .where(operations.c.change_id.in_(ids))
            .group_by(operations.c.change_id, operations.c.state)
        )
        counts: dict[int, dict[str, int]] = {}
        for row in await self._connection.execute(statement):
            counts.setdefault(row.change_id, {})[row.state] = row.numbers
        return {change: Tally(**states) for change, states in counts.items()}


#: The last day whose end can be asked for.
_LAST_DAY: Final = date.max - timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _list_row(row: Row[*tuple[Any, ...]], tally: Tally) -> ListRow:
    return ListRow(
        id=row.id,
        kind=row.kind,
        state=ChangeState(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        requester=row.requester,
        reason=row.reason or "",
        numbers=row.numbers or 0,
        unknown=row.unknown or 0,
        settings=tuple(dict.fromkeys((*(row.wanted or ()), *(row.varied or ())))),
        card=MessageRef(channel=row.card_channel, ts=row.card_ts),
        created_at=row.created_at,
        waits_since=row.asked_at or row.requested_at,
        started_at=row.started_at,
        until=row.ends_at,
        tally=Tally(**row.kept) if row.kept else tally,
    )


def _named(e164: str, number_id: str) -> ColumnElement[bool]:
    return operations.c.e164 == e164 if e164 else operations.c.number_id == number_id

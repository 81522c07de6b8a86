"""Requests for current values as a sheet, one row each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.draft import Draft
from bot.changes.model.value_exports import ValueExport
from bot.errors import NotFound
from bot.store.queue.tasks import Task
from bot.store.records.documents import draft_from_json, draft_to_json
from bot.store.tables import UtcTime, tasks, value_exports


class ValueExportTable:
    """The table of value exports."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def submitted_as(self, submission: str) -> int | None:
        """Return the id of the value export that this press of a modal's button made; None when there is none yet."""
        found: int | None = await self._connection.scalar(
            select(value_exports.c.id).where(value_exports.c.submission == submission)
        )
        return found

    async def add(self, draft: Draft, *, requester: str, submission: str, now: datetime, floor: str) -> int:
        """Write a new value export and return its id; ``floor`` is Slack's time before that, as a ``ts``."""
        statement = value_exports.insert().values(
            draft=draft_to_json(draft), requester=requester, submission=submission, created_at=now, floor=floor
        )
        result = await self._connection.execute(statement)
        return int(result.inserted_primary_key[0])  # type: ignore[index]  # an INSERT of one row has a key

    async def get(self, value_export: int) -> ValueExport:
        """Return the value export; raises NotFound."""
        row = (await self._connection.execute(select(value_exports).where(value_exports.c.id == value_export))).first()
        if row is None:
            raise NotFound(f"There is no value export {value_export}.")
        return ValueExport(
            id=row.id,
            draft=draft_from_json(row.draft),
            requester=row.requester,
            created_at=row.created_at,
            finished_at=row.finished_at,
            floor=row.floor,
        )

    async def finish(self, value_export: int, now: datetime) -> None:
        """Note that the value export was answered."""
        await self._connection.execute(
            update(value_exports).where(value_exports.c.id == value_export).values(finished_at=now)
        )

    async def forget(self, before: datetime) -> int:
        """Remove value exports answered before ``before``, and return how many there were.

        Value exports that were requested before then and that nobody answers any more are removed too.
        """
        at_work = exists().where(tasks.c.task == Task.EXPORT_VALUES.value, tasks.c.subject == value_exports.c.id)
        last = func.coalesce(value_exports.c.finished_at, value_exports.c.created_at, type_=UtcTime())
        return (await self._connection.execute(delete(value_exports).where(last < before, ~at_work))).rowcount

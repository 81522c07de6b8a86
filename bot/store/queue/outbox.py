"""Slack messages decided but not yet delivered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, and_, case, exists, false, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import MessageRef, Topic
from bot.changes.model.public_ids import public_id
from bot.store.tables import changes, outbox

#: The state of a message that must be delivered, or delivered again.
PENDING: Final = "pending"
#: The state of a message that was delivered, or replaced by something else.
SENT: Final = "sent"
#: The state of a message that was given up.
REFUSED: Final = "refused"
#: Whether the change of a message is over: its card is then updated without a pause.
LAST_WORD: Final = exists().where(
    changes.c.id == outbox.c.change_id, changes.c.state.in_([state.value for state in ChangeState if state.over])
)
#: Columns with the places of messages that are posted once and then edited.
_PLACES: Final[Mapping[Topic, Column[str]]] = {
    Topic.CARD: changes.c.card_ts,
    Topic.APPROVAL_CARD: changes.c.approval_card_ts,
}


class Outbox:
    """The table of messages to deliver."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def post(
        self,
        change: int,
        topic: Topic,
        name: str,
        *,
        now: datetime,
        data: Mapping[str, Any] | None = None,
        channel: str = "",
    ) -> None:
        """Decide on a message. Deciding on the same one again does nothing: the key of a message is permanent.

        ``channel`` is where it goes; empty when it goes below a card, or to one person.
        """
        key = f"{public_id(change)}:{topic.value}:{name}"
        present = await self._connection.execute(select(outbox.c.id).where(outbox.c.key == key))
        if present.first() is None:
            await self._insert(change, topic, key, now, data or {}, channel=channel)

    async def show(
        self,
        change: int,
        topic: Topic,
        *,
        now: datetime,
        pause: timedelta = timedelta(0),
        settling: timedelta = timedelta(0),
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Have a standing message updated, at the earliest ``pause`` after its last delivery.

        The end of a change is shown at once. Only while Slack may still post the message, after an unanswered attempt,
        it keeps waiting as planned, at most ``settling`` from now. ``data`` replaces earlier data.
        """
        key = f"{public_id(change)}:{topic.value}"
        row = (await self._connection.execute(select(outbox.c.id, outbox.c.sent_at).where(outbox.c.key == key))).first()
        if row is None:
            await self._insert(change, topic, key, now, data or {})
            return
        over = now + settling
        due_at = case(
            (and_(_may_be_posted(topic), outbox.c.due_at < over), outbox.c.due_at),
            (_may_be_posted(topic), over),
            (LAST_WORD, now),
            else_=max(now, row.sent_at + pause) if row.sent_at else now,
        )
        waiting_since = case((outbox.c.state == PENDING, outbox.c.waiting_since), else_=due_at)
        statement = (
            update(outbox)
            .where(outbox.c.id == row.id)
            .values(
                state=PENDING,
                version=outbox.c.version + 1,
                due_at=due_at,
                waiting_since=waiting_since,
                data=dict(data or {}),
            )
        )
        await self._connection.execute(statement)

    async def told(self, change: int, topic: Topic, name: str) -> Mapping[str, Any] | None:
        """Return the data of a message that was decided on; None otherwise."""
        key = f"{public_id(change)}:{topic.value}:{name}"
        data: Mapping[str, Any] | None = await self._connection.scalar(select(outbox.c.data).where(outbox.c.key == key))
        return data

    async def former(self, change: int, what: Topic) -> list[MessageRef]:
        """Return the places where cards of the change, or its requests for approval, were left behind."""
        statement = select(outbox.c.data).where(outbox.c.change_id == change, outbox.c.topic == Topic.FORMER.value)
        left = await self._connection.scalars(statement)
        return [MessageRef(channel=data["channel"], ts=data["ts"]) for data in left if data["what"] == what.value]

    async def withdraw(self, change: int, topic: Topic) -> None:
        """Drop undelivered messages of a change that something else replaces."""
        statement = (
            update(outbox)
            .where(outbox.c.change_id == change, outbox.c.topic == topic.value, outbox.c.state == PENDING)
            .values(state=SENT)
        )
        await self._connection.execute(statement)

    async def refused(self) -> int:
        """Return how many messages were given up."""
        statement = select(func.count()).select_from(outbox).where(outbox.c.state == REFUSED)
        return (await self._connection.execute(statement)).scalar_one()

    async def stuck(self) -> str:
        """Return a message that waits for a repair at Slack, and the reason; empty without one."""
        statement = (
            select(outbox.c.key, outbox.c.error)
            .where(outbox.c.state == PENDING, outbox.c.refusal != "")
            .order_by(outbox.c.id)
            .limit(1)
        )
        row = (await self._connection.execute(statement)).first()
        return f"{row.key} waits to be delivered. {row.error}" if row else ""

    async def undelivered(self) -> int:
        """Return how many messages wait."""
        statement = select(func.count()).select_from(outbox).where(outbox.c.state == PENDING)
        return (await self._connection.execute(statement)).scalar_one()

    async def waiting_since(self) -> datetime | None:
        """Return since when the oldest undelivered message could be delivered; None without one."""
        since = func.min(func.coalesce(outbox.c.waiting_since, outbox.c.due_at), type_=outbox.c.due_at.type)
        found: datetime | None = await self._connection.scalar(select(since).where(outbox.c.state == PENDING))
        return found

    async def _insert(
        self, change: int, topic: Topic, key: str, now: datetime, data: Mapping[str, Any], *, channel: str = ""
    ) -> None:
        statement = outbox.insert().values(
            key=key,
            change_id=change,
            topic=topic.value,
            data=dict(data),
            channel=channel,
            state=PENDING,
            due_at=now,
            waiting_since=now,
        )
        await self._connection.execute(statement)


def _may_be_posted(topic: Topic) -> ColumnElement[bool]:
    """Tell whether an attempt to post a message may be under way; a message with a place is only edited."""
    if topic not in _PLACES:
        return false()
    nowhere = exists().where(changes.c.id == outbox.c.change_id, _PLACES[topic] == "")
    return and_(outbox.c.state == PENDING, outbox.c.attempts > 0, nowhere)

"""Slack messages decided but not yet delivered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import STANDING, THREADED, MessageRef, OutboxMessage, Topic
from bot.changes.model.public_ids import public_id
from bot.store.queue.claims import claim_due, claiming
from bot.store.tables import changes, outbox

#: The state of a message that has to be delivered, or delivered again.
PENDING: Final = "pending"
_SENT: Final = "sent"
_REFUSED: Final = "refused"
#: Whether the change of a message is over: what its card says then is shown without a pause.
_LAST_WORD: Final = exists().where(
    changes.c.id == outbox.c.change_id, changes.c.state.in_([state.value for state in ChangeState if state.over])
)
#: Where the messages are that are posted once and edited from then on.
_PLACES: Final[Mapping[Topic, Column[str]]] = {
    Topic.CARD: changes.c.card_ts,
    Topic.APPROVAL_CARD: changes.c.approval_card_ts,
}


def _claiming() -> ReturningUpdate[Any]:
    earlier = outbox.alias("earlier")
    threaded = [topic.value for topic in THREADED]
    overtakes = exists().where(
        earlier.c.change_id == outbox.c.change_id,
        earlier.c.id < outbox.c.id,
        earlier.c.state == PENDING,
        earlier.c.topic.in_(threaded),
    )
    carded = exists().where(changes.c.id == outbox.c.change_id, changes.c.card_ts != "")
    asked = exists().where(changes.c.id == outbox.c.change_id, changes.c.approval_card_ts != "")
    request = outbox.alias("request")
    may_be_asked = exists().where(
        request.c.change_id == outbox.c.change_id,
        request.c.topic == Topic.APPROVAL_CARD.value,
        request.c.state == PENDING,
    )
    free = or_(outbox.c.topic.not_in([*threaded, Topic.REMINDER.value]), asked, ~may_be_asked)
    below = outbox.c.topic.in_(threaded)
    condition = and_(outbox.c.state == PENDING, or_(and_(below, ~overtakes, carded), and_(~below, free)))
    floor = case((outbox.c.attempts == 0, bindparam("claim_floor")), else_=outbox.c.floor)
    return claiming(outbox, condition=condition, also={"floor": floor})


_CLAIMING: Final = _claiming()
_NEXT_DUE: Final = select(func.min(outbox.c.due_at)).where(outbox.c.state == PENDING, outbox.c.owner.is_(None))


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
        """Decide on a message. Deciding again on the same one does nothing: a message has one key for ever.

        ``channel`` is where it goes; empty when that is where a card is, or one person.
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
        """Have a standing message brought up to date, at the earliest ``pause`` after its last delivery.

        What a change comes to in the end is shown at once. Only while Slack may yet post the message, because of an
        attempt without an answer, it waits as long as it was to wait, ``settling`` from now on at the most.
        ``data`` takes the place of what it was given before.
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
            (_LAST_WORD, now),
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

    async def claim(
        self, *, owner: str, now: datetime, lease: timedelta, limit: int, floor: str = ""
    ) -> list[OutboxMessage]:
        """Claim due messages; below a card they keep their order, and none goes out before its card is there.

        A word below a request for approval waits for that one, too, as long as it may yet be posted.
        ``floor`` is Slack's own time of before. The first attempt writes it down with its intent, and those that
        follow look for what became of it since then. See :mod:`bot.store.queue.claims` for the rest of the rule.
        """
        rows = await claim_due(
            self._connection, _CLAIMING, owner=owner, now=now, lease=lease, limit=limit, claim_floor=floor
        )
        return [_message(row) for row in rows]

    async def sent(
        self,
        message: OutboxMessage,
        *,
        owner: str,
        now: datetime,
        pause: timedelta,
        confirm: timedelta | None = None,
        covered: bool = False,
    ) -> None:
        """Note a delivery; when the message has moved on meanwhile, it becomes due again.

        With ``confirm`` it is delivered once more after that time although it has not moved on. Where ``covered``, an
        earlier attempt may yet arrive and cover it: the next delivery, whatever it is for, counts as interrupted too.
        What was withdrawn meanwhile stays withdrawn: something else stands in its place by now.
        """
        current = outbox.c.version == message.version
        then = literal(PENDING) if confirm else case((current, _SENT), else_=PENDING)
        due_at = case((current, now + confirm if confirm else outbox.c.due_at), (_LAST_WORD, now), else_=now + pause)
        statement = (
            update(outbox)
            .where(outbox.c.id == message.id, outbox.c.owner == owner)
            .values(
                state=case((outbox.c.state == PENDING, then), else_=outbox.c.state),
                due_at=due_at,
                waiting_since=due_at,
                sent_at=now,
                owner=None,
                claimed_until=None,
                attempts=int(covered),
                settled=int(covered),
                error="",
                refusal="",
            )
        )
        await self._connection.execute(statement)

    async def postpone(
        self,
        message: OutboxMessage,
        *,
        owner: str,
        until: datetime,
        error: str,
        surely_unsent: bool,
        settled: bool = True,
        refusal: str = "",
    ) -> None:
        """Give the message back until ``until``; with ``refusal`` it waits for somebody to mend something at Slack.

        ``settled`` tells that by then every attempt will be over.
        """
        values: dict[str, Any] = {
            "due_at": until,
            "owner": None,
            "claimed_until": None,
            "error": error,
            "refusal": refusal,
        }
        if surely_unsent:
            # What became of an earlier edit without an answer stays unclear until one was answered.
            values["attempts"] = message.attempts - 1 if message.topic in STANDING else 0
        if settled:
            values["settled"] = values.get("attempts", message.attempts)
        await self._connection.execute(
            update(outbox).where(outbox.c.id == message.id, outbox.c.owner == owner).values(**values)
        )

    async def redirect(self, message: OutboxMessage, *, owner: str, channel: str, now: datetime, error: str) -> None:
        """Send the message to ``channel`` instead of where it was refused."""
        statement = (
            update(outbox)
            .where(outbox.c.id == message.id, outbox.c.owner == owner)
            .values(
                channel=channel,
                due_at=now,
                owner=None,
                claimed_until=None,
                attempts=0,
                settled=0,
                error=error,
                refusal="",
            )
        )
        await self._connection.execute(statement)

    async def told(self, change: int, topic: Topic, name: str) -> Mapping[str, Any] | None:
        """Return the data of a message that was decided on; None when it was not."""
        key = f"{public_id(change)}:{topic.value}:{name}"
        data: Mapping[str, Any] | None = await self._connection.scalar(select(outbox.c.data).where(outbox.c.key == key))
        return data

    async def former(self, change: int, what: Topic) -> list[MessageRef]:
        """Return where cards of the change, or its requests for approval, were left behind."""
        statement = select(outbox.c.data).where(outbox.c.change_id == change, outbox.c.topic == Topic.FORMER.value)
        left = await self._connection.scalars(statement)
        return [MessageRef(channel=data["channel"], ts=data["ts"]) for data in left if data["what"] == what.value]

    async def withdraw(self, change: int, topic: Topic) -> None:
        """Let messages of a change be that are not delivered yet: something else stands in their place."""
        statement = (
            update(outbox)
            .where(outbox.c.change_id == change, outbox.c.topic == topic.value, outbox.c.state == PENDING)
            .values(state=_SENT)
        )
        await self._connection.execute(statement)

    async def refuse(self, message: OutboxMessage, *, owner: str, error: str) -> None:
        """Give the message up: Slack will never take it."""
        statement = (
            update(outbox)
            .where(outbox.c.id == message.id, outbox.c.owner == owner)
            .values(state=_REFUSED, owner=None, claimed_until=None, error=error)
        )
        await self._connection.execute(statement)

    async def extend(self, ids: Iterable[int], owner: str, until: datetime) -> list[int]:
        """Keep those of the claims that ``owner`` still holds until ``until``, and return which they are."""
        statement = (
            update(outbox)
            .where(outbox.c.id.in_(list(ids)), outbox.c.owner == owner)
            .values(claimed_until=until)
            .returning(outbox.c.id)
        )
        return list((await self._connection.execute(statement)).scalars())

    async def release_all(self) -> None:
        """Free every claim, whoever holds it; only for a database that nobody else can be using."""
        await self._connection.execute(update(outbox).values(owner=None, claimed_until=None))

    async def release(self, owner: str, but: Collection[int] = ()) -> None:
        """Give back everything that ``owner`` holds, ``but`` these."""
        statement = update(outbox).where(outbox.c.owner == owner, outbox.c.id.not_in(list(but)))
        await self._connection.execute(statement.values(owner=None, claimed_until=None))

    async def next_due(self) -> datetime | None:
        """Return when the next undelivered, unclaimed message is due; None when there is none."""
        due: datetime | None = (await self._connection.execute(_NEXT_DUE)).scalar()
        return due

    async def refused(self) -> int:
        """Return how many messages were given up."""
        statement = select(func.count()).select_from(outbox).where(outbox.c.state == _REFUSED)
        return (await self._connection.execute(statement)).scalar_one()

    async def stuck(self) -> str:
        """Return a message that waits for somebody to mend something at Slack, and what; empty when none does."""
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
        """Return since when the oldest undelivered message could be delivered; None when there is none."""
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
    """Tell whether an attempt to post a message is, or may be, under way; one that has its place is only edited."""
    if topic not in _PLACES:
        return false()
    nowhere = exists().where(changes.c.id == outbox.c.change_id, _PLACES[topic] == "")
    return and_(outbox.c.state == PENDING, outbox.c.attempts > 0, nowhere)


def _message(row: Row[Any]) -> OutboxMessage:
    return OutboxMessage(
        id=row.id,
        key=row.key,
        change=row.change_id,
        topic=Topic(row.topic),
        data=row.data,
        attempts=row.attempts,
        version=row.version,
        sent_at=row.sent_at,
        channel=row.channel,
        floor=row.floor,
        settled=row.settled,
    )

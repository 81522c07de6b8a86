"""Messages of the outbox on their way to Slack: their claims, and the result of each attempt."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, case, exists, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.changes.model.messages import STANDING, THREADED, OutboxMessage, Topic
from bot.store.queue.claims import claim_due, claiming
from bot.store.queue.outbox import LAST_WORD, PENDING, REFUSED, SENT
from bot.store.tables import changes, outbox

#: A message with a topic of another version is left to that version: this one could not even read the row.
_KNOWN: Final = outbox.c.topic.in_([topic.value for topic in Topic])
_WAITING: Final = and_(outbox.c.state == PENDING, _KNOWN)


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
    condition = and_(_WAITING, or_(and_(below, ~overtakes, carded), and_(~below, free)))
    floor = case((outbox.c.attempts == 0, bindparam("claim_floor")), else_=outbox.c.floor)
    return claiming(outbox, condition=condition, also={"floor": floor})


_CLAIMING: Final = _claiming()
_NEXT_DUE: Final = select(func.min(outbox.c.due_at)).where(_WAITING, outbox.c.owner.is_(None))


class Deliveries:
    """The part of the outbox that a worker writes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(
        self, *, owner: str, now: datetime, lease: timedelta, limit: int, floor: str = ""
    ) -> list[OutboxMessage]:
        """Claim due messages; below a card they keep their order, and none goes out before its card is there.

        A message below a request for approval also waits for that request, while it may still be posted. ``floor`` is
        Slack's time before this. The first attempt records it with its intent, and later attempts look for results
        since then. See :mod:`bot.store.queue.claims` for the other conditions.
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
        """Note a delivery; if the message has changed meanwhile, it becomes due again.

        With ``confirm``, it is delivered once more after that time even without a change. ``covered`` means that an
        earlier attempt may still arrive and cover it: the next delivery, for whatever reason, counts as interrupted
        too. A message withdrawn meanwhile stays withdrawn: something else has replaced it.
        """
        current = outbox.c.version == message.version
        then = literal(PENDING) if confirm else case((current, SENT), else_=PENDING)
        due_at = case((current, now + confirm if confirm else outbox.c.due_at), (LAST_WORD, now), else_=now + pause)
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
        """Give the message back until ``until``; with ``refusal``, it waits for somebody to repair something at Slack.

        ``settled`` means that by then every attempt will be over.
        """
        values: dict[str, Any] = {
            "due_at": until,
            "owner": None,
            "claimed_until": None,
            "error": error,
            "refusal": refusal,
        }
        if surely_unsent:
            # The result of an earlier unanswered edit stays unknown until an edit was answered.
            values["attempts"] = message.attempts - 1 if message.topic in STANDING else 0
        if settled:
            values["settled"] = values.get("attempts", message.attempts)
        await self._connection.execute(
            update(outbox).where(outbox.c.id == message.id, outbox.c.owner == owner).values(**values)
        )

    async def redirect(self, message: OutboxMessage, *, owner: str, channel: str, now: datetime, error: str) -> None:
        """Send the message to ``channel`` instead of the place that refused it."""
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

    async def refuse(self, message: OutboxMessage, *, owner: str, error: str) -> None:
        """Give the message up: Slack will never accept it."""
        statement = (
            update(outbox)
            .where(outbox.c.id == message.id, outbox.c.owner == owner)
            .values(state=REFUSED, owner=None, claimed_until=None, error=error)
        )
        await self._connection.execute(statement)

    async def extend(self, ids: Iterable[int], owner: str, until: datetime) -> list[int]:
        """Extend those of the claims that ``owner`` still holds to ``until``, and return them."""
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

    async def unknown(self) -> list[str]:
        """Return the topics of undelivered messages that this version does not know: nobody delivers them."""
        statement = select(outbox.c.topic).where(outbox.c.state == PENDING, ~_KNOWN).distinct()
        return list((await self._connection.execute(statement.order_by(outbox.c.topic))).scalars())

    async def next_due(self) -> datetime | None:
        """Return when the next undelivered, unclaimed message is due; None when there is none."""
        due: datetime | None = (await self._connection.execute(_NEXT_DUE)).scalar()
        return due


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

"""Decisions of approvers, one row per person and change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.errors import Superseded
from bot.store.queue.tasks import Task
from bot.store.tables import batches, changes, decisions, tasks

#: States of a change that has sent nothing, and those of one that has begun.
_UNSENT: Final = (ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED)
_BEGUN: Final = (ChangeState.RUNNING, ChangeState.VERIFYING, ChangeState.PAUSED)
#: Part of a change waits for the end of a wave, and is not going to be sent yet.
_HELD_BACK: Final = exists().where(
    batches.c.change_id == changes.c.id,
    batches.c.state == BatchState.QUEUED.value,
    ~exists().where(tasks.c.task == Task.SUBMIT.value, tasks.c.subject == batches.c.id),
)


class Decisions:
    """The table of decisions."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, decision: Decision) -> None:
        """Write the decision; raises Superseded when this person has already decided on this change.

        An approver may still change their mind: any other decision replaces the same person's approval. A new approval
        also replaces a lapsed one, and any decision on the new plan replaces that person's request for it.
        """
        mine = (decisions.c.change_id == decision.change, decisions.c.person == decision.person)
        approval = decisions.c.verb == DecisionVerb.APPROVE.value
        again = decision.verb is DecisionVerb.APPROVE
        asked = decisions.c.verb == DecisionVerb.ASK_FOR_CHANGES.value
        over = or_(asked, and_(approval, decisions.c.lapse != "") if again else approval)
        await self._connection.execute(delete(decisions).where(*mine, over))
        statement = decisions.insert().values(
            change_id=decision.change,
            person=decision.person,
            verb=decision.verb.value,
            digest=decision.digest,
            reason=decision.reason,
            rule=decision.rule,
            at=decision.at,
            stage=decision.stage,
            fallback=decision.fallback,
            on_behalf_of=decision.on_behalf_of,
        )
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(statement)
        except IntegrityError as error:
            raise Superseded("You have already decided on this change.") from error

    async def withdraw_approvals(self, change: int) -> int:
        """Delete the approvals of a plan that is sent back, and return how many there were."""
        approvals = (decisions.c.change_id == change, decisions.c.verb == DecisionVerb.APPROVE.value)
        return (await self._connection.execute(delete(decisions).where(*approvals))).rowcount

    async def lapse(self, change: int, person: str, why: str, at: datetime) -> None:
        """Note that this person's approval no longer counts since ``at``, and ``why``."""
        mine = (decisions.c.change_id == change, decisions.c.person == person)
        await self._connection.execute(update(decisions).where(*mine).values(lapse=why, lapsed_at=at))

    async def lent(self, delegator: str, delegate: str) -> list[int]:
        """Return the changes that may still send numbers and have an approval by ``delegate`` for ``delegator``."""
        statement = (
            select(decisions.c.change_id)
            .join(changes, changes.c.id == decisions.c.change_id)
            .where(
                decisions.c.person == delegate,
                decisions.c.on_behalf_of == delegator,
                decisions.c.verb == DecisionVerb.APPROVE.value,
                decisions.c.lapse == "",
                or_(
                    changes.c.state.in_([state.value for state in _UNSENT]),
                    and_(changes.c.state.in_([state.value for state in _BEGUN]), _HELD_BACK),
                ),
            )
            .order_by(decisions.c.change_id)
        )
        return list((await self._connection.execute(statement)).scalars())

    async def of(self, change: int) -> list[Decision]:
        """Return all decisions on the change, oldest first."""
        return (await self.of_each([change])).get(change, [])

    async def of_each(self, changes: Collection[int]) -> Mapping[int, list[Decision]]:
        """Return change -> all decisions on it, oldest first, for those of ``changes`` that have any."""
        statement = select(decisions).where(decisions.c.change_id.in_(changes)).order_by(decisions.c.at)
        found: dict[int, list[Decision]] = {}
        for row in await self._connection.execute(statement):
            found.setdefault(row.change_id, []).append(_decision(row))
        return found


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        change=row.change_id,
        person=row.person,
        verb=DecisionVerb(row.verb),
        digest=row.digest,
        reason=row.reason,
        rule=row.rule,
        at=row.at,
        lapse=row.lapse,
        lapsed_at=row.lapsed_at,
        stage=row.stage,
        fallback=row.fallback,
        on_behalf_of=row.on_behalf_of,
    )

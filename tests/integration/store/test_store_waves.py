"""What earlier versions wrote of canaries is a rollout in two waves."""

from __future__ import annotations

from sqlalchemy import text

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.rollout import PauseReason
from bot.store.database import Database
from bot.store.migrations import migrate
from tests.integration.store.before import downgrade

_CHANGE = (
    "INSERT INTO changes (id, kind, state, requester, draft, created_at) "
    "VALUES (:id, 'telnyx.settings', :state, 'U0ANA', "
    """'{"kind": "telnyx.settings", "pasted": [], "chosen": [], "typed": {}, "picked": {}, "reason": "why"}', """
    "'2026-11-20 12:00:00')"
)
_BATCH = (
    'INSERT INTO batches (change_id, position, kind, state, size, "values", canary) '
    "VALUES (:id, :position, 'telnyx.settings', 'queued', 2, '{}', :canary)"
)


async def test_a_canary_of_an_earlier_version_is_the_first_of_two_waves(database: Database) -> None:
    """One that is paused, one whose rest goes, and a change without any go on where they were."""
    await downgrade(database, "0047")
    async with database.engine.begin() as connection:
        for id_, state in ((1, "paused"), (2, "running"), (3, "running")):
            await connection.execute(text(_CHANGE), {"id": id_, "state": state})
            for position in (1, 2):
                canary = position == 1 and id_ < 3
                await connection.execute(text(_BATCH), {"id": id_, "position": position, "canary": canary})
        await connection.execute(text("UPDATE changes SET continued_at = created_at WHERE id = 2"))
    await migrate(database)

    async with database.reading() as tx:
        changes = [await tx.changes.get(id_) for id_ in (1, 2, 3)]
        waves = [[batch.wave for batch in await tx.batches.of(id_)] for id_ in (1, 2, 3)]
    assert waves == [[1, 2], [1, 2], [1, 1]]
    assert [(each.state, each.wave, each.paused_for) for each in changes] == [
        (ChangeState.PAUSED, 1, PauseReason.TROUBLE),
        (ChangeState.RUNNING, 2, None),
        (ChangeState.RUNNING, 1, None),
    ]

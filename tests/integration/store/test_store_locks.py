"""Two changes never hold the same number, whoever asks at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.changes.model.draft import Draft
from bot.changes.planning.plan import PlannedNumber
from bot.errors import Superseded
from bot.store.database import Database
from bot.store.records.locks import EVERY

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DRAFT = Draft(kind="telnyx.settings", reason="why")

wanted = st.lists(st.sets(st.integers(0, 12), min_size=1, max_size=6), min_size=2, max_size=6)


async def ask(database: Database, numbers: set[int]) -> tuple[int, frozenset[str]]:
    """Let a new change ask for ``numbers`` and return it with what it got: all of them or nothing."""
    ids = frozenset(str(number) for number in numbers)
    async with database.transaction() as tx:
        change = await tx.changes.add(DRAFT, requester="U0ANA", origin="", view="", submission=None, now=NOW)
    try:
        async with database.transaction() as tx:
            await tx.locks.take(change, "telnyx", ids, NOW)
    except Superseded:
        return change, frozenset()
    return change, ids


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sets=wanted, released=st.integers(0, 5))
async def test_lock_sets_never_overlap_under_concurrent_requests(
    database: Database, sets: Sequence[set[int]], released: int
) -> None:
    """Of requests at the same time each gets all its numbers or none, no two get the same one, and somebody wins.

    What a change lets go of can be taken at once, and only that.
    """
    results = await asyncio.gather(*(ask(database, numbers) for numbers in sets))
    winners = {change: ids for change, ids in results if ids}
    assert winners
    assert sum(len(ids) for ids in winners.values()) == len(frozenset().union(*winners.values()))
    for _, ids in results:
        async with database.reading() as tx:
            held = await tx.locks.holders("telnyx", ids, besides=0)
        assert all(number in winners[change] for number, change in held.items())

    let_go = sorted(winners)[released % len(winners)]
    async with database.transaction() as tx:
        assert await tx.locks.release(let_go) == len(winners[let_go])
    again, got = await ask(database, {int(number) for number in winners[let_go]})
    assert got == winners[let_go]
    async with database.transaction() as tx:
        for change in {*winners, again}:
            await tx.locks.release(change)
        assert await tx.locks.list() == []


async def test_all_numbers_of_a_provider_are_had_only_while_nobody_holds_any(database: Database) -> None:
    """Who asks for all of them holds them against each single one, and the other way round."""

    async def take(change: int, numbers: set[str]) -> bool:
        try:
            async with database.transaction() as tx:
                await tx.locks.take(change, "telnyx", numbers, NOW)
        except Superseded:
            return False
        return True

    async with database.transaction() as tx:
        first, second = [
            await tx.changes.add(DRAFT, requester="U0ANA", origin="", view="", submission=None, now=NOW) for _ in "12"
        ]

    assert await take(first, {"7"})
    assert not await take(second, {EVERY})
    async with database.transaction() as tx:
        await tx.locks.release(first)
    assert await take(second, {EVERY})
    assert not await take(first, {"7"})


async def test_a_plan_locks_what_it_changes_or_nothing(database: Database) -> None:
    """All numbers that it changes are locked and no other; where one of them is another change's, none is."""
    async with database.transaction() as tx:
        first, second, third = [
            await tx.changes.add(DRAFT, requester="U0ANA", origin="", view="", submission=None, now=NOW) for _ in "123"
        ]
        for change, ids in ((first, "123"), (second, "345"), (third, "67")):
            *changing, alone = [
                PlannedNumber(id=id_, e164=f"+1303555000{id_}", before={}, after={}, batch=1) for id_ in ids
            ]
            await tx.operations.add(change, [*changing, replace(alone, batch=None)])

    async def take(change: int) -> bool:
        try:
            async with database.transaction() as tx:
                await tx.locks.take_planned(change, "telnyx", NOW)
        except Superseded:
            return False
        return True

    async def holders() -> dict[str, int]:
        async with database.reading() as tx:
            return dict(await tx.locks.holders("telnyx", "1234567", besides=0))

    async with database.transaction() as tx:
        await tx.locks.take(third, "telnyx", {"4"}, NOW)
    assert await take(first)
    assert not await take(second)
    assert await holders() == {"1": first, "2": first, "4": third}
    async with database.transaction() as tx:
        await tx.locks.release(third)
    assert await take(second)
    assert await holders() == {"1": first, "2": first, "3": second, "4": second}
    async with database.transaction() as tx:
        await tx.locks.release(first)
        await tx.locks.release(second)
        await tx.locks.take(first, "telnyx", {EVERY}, NOW)
    assert not await take(second)

"""What happens while a batch waits for its turn at the provider is heeded, although its numbers were looked at before.

The turn comes in the provider's seconds, so the wait for it is held and let go by the tests themselves.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.integration.scenarios.stage import Clock, Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_freeze import looked

#: Seconds for which the carrier closes the creation of jobs.
CLOSED = 30.0


class Turns:
    """The waits for the pace at Telnyx, which last until a test lets them go."""

    def __init__(self, stage: Stage) -> None:
        assert stage.bot is not None
        catalogue = stage.bot.worker._context.catalogue
        asked: Any = catalogue.provider(catalogue.kind("telnyx.settings"))
        http = asked._provider._http
        http.now = http._exchange.now = http._paces._now = self._now
        http._paces._sleep = self._sleep
        self._skipped = 0.0
        self.waiting = asyncio.Event()
        self._over = asyncio.Event()

    def let_go(self) -> None:
        """Let the turn of what waits come."""
        self._over.set()

    def _now(self) -> float:
        return time.monotonic() + self._skipped

    async def _sleep(self, seconds: float) -> None:
        self.waiting.set()
        await self._over.wait()
        self._skipped += seconds


async def waiting(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Turns]:
    """Take a change to where its number was looked at and its POST waits for its turn."""
    monkeypatch.setattr("bot.providers.telnyx.jobs.PATIENCE", 2 * CLOSED)
    idle.clock = Clock(rate=1)
    await idle.start()
    turns = Turns(idle)
    idle.telnyx.add_number("+13035550000")
    idle.telnyx.faults.add(method="POST", path="/phone_numbers/jobs/*", kind="rate_limited", retry_after=CLOSED)
    change = await idle.ask("+13035550000")
    await idle.approve(change)
    await idle.telnyx.wait_for(lambda: [call for call in idle.created() if call.status == 429])
    async with asyncio.timeout(60):
        while not turns.waiting.is_set():
            idle.clock.advance(1)  # in small steps, for a jump would make claims run out
            await asyncio.sleep(0.05)
    return change, turns


async def test_a_freeze_while_a_batch_waits_for_its_turn_keeps_it_back(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its turn comes, and nothing goes out; it does once the freeze is lifted."""
    change, turns = await waiting(idle, monkeypatch)

    await idle.command("freeze carrier maintenance", by=idle.otto)
    turns.let_go()
    await looked(idle, "work")
    assert len(idle.created()) == 1
    await idle.command("unfreeze", by=idle.otto)
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 1}
    assert len(idle.created()) == 2


async def test_a_cancel_while_a_batch_waits_for_its_turn_stops_it(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said at the cancel is true: nothing of it is sent any more."""
    change, turns = await waiting(idle, monkeypatch)

    said = await idle.command(f"cancel CHG-{change}")
    turns.let_go()
    await idle.ended(change)

    assert "1 number will not be sent." in said
    assert idle.outcomes(change) == {"not_attempted": 1}
    assert len(idle.created()) == 1


async def test_an_edit_while_a_batch_waits_long_for_its_turn_is_not_overwritten(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then the look at the number is too old, so it is looked at again, and was changed meanwhile."""
    change, turns = await waiting(idle, monkeypatch)

    idle.telnyx.number("+13035550000").customer_reference = "Boston"
    idle.clock.advance(6)
    turns.let_go()
    await card_says(idle, change, "Stale")

    assert idle.telnyx.number("+13035550000").customer_reference == "Boston"
    assert len(idle.created()) == 1

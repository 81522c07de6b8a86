"""Large targets: while they are read and planned, whoever clicks gets an answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping

import pytest

from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.clock_skew import ServiceClock
from bot.providers.answers import KeyWatch
from bot.providers.telnyx.kinds import kinds
from bot.sandbox.slack import SlackUser
from tests.integration.scenarios.stage import OPS, Stage
from tests.integration.scenarios.test_scenario_sheets import attach

#: Clicks that have to be answered before the plan is there. One that blocked the loop would let one through at most.
CLICKS = 5


class Memory:
    """A provider without a network, which has every number that it is asked for; for what planning itself costs."""

    name, title = "telnyx", "Telnyx"
    carries_out = False

    def __init__(self, owned: int) -> None:
        self.kinds = kinds(secrets=False)
        self.calls: Counter[object] = Counter()
        self.clock = ServiceClock(self.title)
        self.key = KeyWatch()
        self._owned = owned

    def is_id(self, text: str) -> bool:
        """Know no ids."""
        return not text

    async def find(self, target: Target, names: Iterable[str], _: Kind) -> AsyncIterator[Snapshot]:
        """Stream the numbers of ``target``, or with a condition all there are, with one value for every setting."""
        values = dict.fromkeys(names, "today")
        e164s = numbers(self._owned) if target.conditions else target.identifiers
        for index, e164 in enumerate(e164s):
            yield Snapshot(id=str(10**18 + index), e164=e164, values=values)
            if index % 250 == 0:
                await asyncio.sleep(0)

    async def labels(self, _: Kind, setting: str, ids: Iterable[str]) -> Mapping[str, str]:
        """Call everything by its id."""
        return {each: f"{setting} {each}" for each in ids}

    async def aclose(self) -> None:
        """Have nothing to close."""


def numbers(count: int) -> list[str]:
    """Return numbers in E.164."""
    return [f"+1303{5_000_000 + index}" for index in range(count)]


async def clicks_until_planned(stage: Stage, clicker: SlackUser) -> int:
    """Send the form, click until there is a plan, and return how many clicks were answered before."""
    await stage.send()
    planned = asyncio.create_task(stage.ana.wait_for_view(is_planned, timeout=120))
    answered = 0
    while not planned.done():
        delivery = await clicker.command("/numbers", "help", channel=OPS)
        assert delivery.error is None
        answered += not planned.done()
    await planned
    return answered


def is_planned(view: object) -> bool:
    """Tell whether the modal shows a plan, or why there is none."""
    return "Edit" in str(getattr(view, "blocks", ""))


async def test_clicks_are_answered_while_a_hundred_thousand_rows_are_read(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The largest sheet is fetched, read and compared with today's values; the numbers of the plan are right."""
    monkeypatch.setattr("bot.wiring.build_providers", lambda *_, **__: [Memory(0)])
    await idle.start(LINESMAN_MAX_NUMBERS="100000")
    listed = numbers(100_000)
    await idle.open()
    await attach(idle, "\n".join(["number,customer reference", *(f"{each},today" for each in listed)]).encode())
    await idle.ana.type("reason", "Everything as it is")

    answered = await clicks_until_planned(idle, idle.mia)

    assert "Nothing to do: all 100,000 numbers already have these values." in idle.modal()
    assert answered >= CLICKS


async def test_clicks_are_answered_while_twenty_thousand_numbers_of_a_filter_are_planned(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter that finds as many numbers as a change may have is planned in full and written down."""
    monkeypatch.setattr("bot.wiring.build_providers", lambda *_, **__: [Memory(20_000)])
    await idle.start()
    await idle.open()
    await idle.ana.choose("filters", ["customer_reference"])
    await idle.ana.wait_for_view(lambda view: ("filter:customer_reference", "filter:") in view.form.slots)
    await idle.ana.type("filter:customer_reference", "today")
    await idle.fill(None, {"customer_reference": "tomorrow"}, "Moving all of them")

    answered = await clicks_until_planned(idle, idle.mia)

    assert "Numbers: 20,000" in idle.modal()
    assert answered >= CLICKS

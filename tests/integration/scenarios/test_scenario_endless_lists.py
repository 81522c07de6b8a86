"""Lists of numbers that lie about their length, are cut short or never end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.close import CloseStandIn
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.test_scenario_filters import fill

LIST = "/phone_numbers"


@pytest.fixture
async def vips(stage: Stage) -> Stage:
    """Give the account 600 numbers with a tag."""
    stage.telnyx.add_numbers(600, start="+13035550000", tags=["vip"])
    return stage


@pytest.fixture
async def close(idle: Stage) -> AsyncIterator[CloseStandIn]:
    """Start the bot with Close, where 150 numbers are."""
    async with CloseStandIn() as standing_in:
        standing_in.add_numbers(150, start="+13035550000", label="Front desk")
        idle.close = standing_in
        await idle.start()
        yield standing_in
        await idle.stop()


def reads(stage: Stage) -> int:
    """Count the pages of numbers that were asked for."""
    return sum(call.path == LIST for call in stage.telnyx.calls)


async def test_capped_pages_lose_no_number(vips: Stage) -> None:
    """Telnyx gives 100 rows where 250 were asked for; the plan has all 600 numbers."""
    vips.telnyx.paging.cap = 100

    await fill(vips, {"tag": "vip"})
    await vips.send()

    assert "Numbers: 600" in vips.read(await vips.planned())


async def test_capped_pages_of_close_lose_no_number(idle: Stage, close: CloseStandIn) -> None:
    """The next page begins where the rows of the last one end."""
    close.paging.cap = 40

    await idle.open("close")
    await idle.ana.choose("filters", ["label"])
    await idle.ana.wait_for_view(lambda view: "filter:label" in str(view.blocks))
    await idle.ana.type("filter:label", "Front")
    await idle.fill(None, {"label": "Night desk"}, "Because")
    await idle.send()

    assert "Numbers: 150" in idle.read(await idle.planned())


@pytest.mark.parametrize("total", [0, 250])
async def test_a_wrong_total_plans_nothing(vips: Stage, total: int) -> None:
    """What is announced and what is listed contradict each other, so nobody knows which numbers there are."""
    vips.telnyx.paging.total = total
    vips.telnyx.paging.cap = 240 if total else None

    await fill(vips, {"tag": "vip"})
    await vips.send()

    assert "came and went" in vips.read(await vips.planned())


async def test_a_page_that_repeats_ends_the_reading(vips: Stage) -> None:
    """A provider that answers the first page for ever and tells no total is not read for ever."""
    vips.telnyx.paging.repeats, vips.telnyx.paging.total = True, "untold"

    await fill(vips, {"tag": "vip"})
    await vips.send()

    assert "repeatedly" in vips.read(await vips.planned())
    assert reads(vips) == 2


async def test_named_numbers_are_read_all_the_same(vips: Stage) -> None:
    """What the repeated page does not show is asked for one by one."""
    vips.telnyx.paging.repeats, vips.telnyx.paging.total = True, "untold"
    last = [number.phone_number for number in vips.telnyx.numbers.values()][-30:]

    await vips.propose(last)

    assert "Numbers: 30" in vips.modal()
    assert reads(vips) == 2


async def test_a_page_of_close_that_repeats_ends_the_reading(idle: Stage, close: CloseStandIn) -> None:
    """Close says that there is more and shows the same numbers."""
    close.paging.repeats, close.paging.more = True, True

    await idle.open("close")
    await idle.ana.choose("filters", ["label"])
    await idle.ana.wait_for_view(lambda view: "filter:label" in str(view.blocks))
    await idle.ana.type("filter:label", "Front")
    await idle.fill(None, {"label": "Night desk"}, "Because")
    await idle.send()

    assert "repeatedly" in idle.read(await idle.planned())
    assert sum(call.path == "/phone_number/" for call in close.calls) == 2


async def test_a_cancelled_plan_is_not_read_on(vips: Stage) -> None:
    """The page that is being read is the last one, however many there are to come."""
    vips.telnyx.paging.cap = 1
    held = vips.telnyx.faults.add(method="GET", path=LIST, kind="delay", after=20, times=None, seconds=30)
    await fill(vips, {"tag": "vip"})
    await vips.send()
    await vips.telnyx.wait_for(lambda: reads(vips) > 20)

    assert "is discarded" in await vips.command("cancel CHG-1")
    before = reads(vips)
    held.seconds = 0.0
    await vips.quiet()

    assert reads(vips) == before

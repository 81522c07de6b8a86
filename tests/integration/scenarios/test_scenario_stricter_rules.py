"""A rule that forbids, by the time that something would be let go, what it allowed when that was requested."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store.queue.tasks import Claim
from bot.workflow.execution.ending import ChangeEnd
from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import card_says, reject
from tests.integration.scenarios.test_scenario_home import opened
from tests.integration.scenarios.test_scenario_policy import TAGS, numbers, under
from tests.integration.scenarios.test_scenario_temporary import asked_to_extend, in_effect
from tests.integration.scenarios.test_scenario_waves import numbers_of, started

#: Less than the three numbers of the changes here.
SMALL = '[[rule]]\nname = "small steps"\nlargest = 2\n'


@pytest.mark.parametrize("said", ["LINESMAN_MAX_NUMBERS", "largest"])
async def test_a_request_that_is_too_large_by_now_is_not_approved(idle: Stage, tmp_path: Path, said: str) -> None:
    """A lower limit counts for what waits: a click hears why, Home asks nobody, and it can still be rejected."""
    stage = idle
    await stage.start()
    change = await stage.ask(numbers(stage, 3), TAGS)
    await stage.stop()
    await (under(stage, tmp_path, SMALL) if said == "largest" else stage.start(**{said: "2"}))

    assert "This change has 3 numbers and one telnyx.settings change may have at most 2" in await stage.approve(change)
    assert "No requests are waiting for you." in stage.read(await opened(stage, stage.max))
    await reject(stage, change)
    await card_says(stage, change, "Rejected")
    assert stage.telnyx.jobs == []


async def test_an_approved_change_that_is_too_large_by_its_start_is_not_sent(idle: Stage, tmp_path: Path) -> None:
    """It waits for its start while the limit is lowered: its card says so at once, and nothing is sent."""
    stage = idle
    await stage.start()
    change = await stage.ask(numbers(stage, 3), TAGS, start="in 5 hours")
    await stage.approve(change)
    await card_says(stage, change, "Approved")
    await stage.stop()
    await under(stage, tmp_path, SMALL)
    await card_says(
        stage, change, "The current policy rule no longer allows this change. This change has 3 numbers", "not start"
    )

    stage.clock.advance(5 * 3600 + 60)
    await card_says(stage, change, "Cancelled", "no longer allowed", "may have at most 2")
    await stage.slack.wait_for(lambda: stage.slack.messages(FAILURES), what="the notice")
    assert stage.telnyx.jobs == []


async def test_no_wave_follows_once_the_change_is_too_large(stage: Stage, tmp_path: Path) -> None:
    """What was sent stays as it is; the rest is not, and the card says why."""
    change = await started(stage, numbers_of(stage, 5), "1, 1", "30 min")
    await card_says(stage, change, "Wave 1 of 3 is done")
    await stage.quiet(but="start")
    await stage.stop()
    await under(stage, tmp_path, SMALL)
    stage.clock.advance(31 * 60)

    await card_says(stage, change, "The rest is no longer allowed, so it was not sent.", "may have at most 2")
    await stage.ended(change)
    assert len(stage.telnyx.jobs) == 1


async def test_an_approved_extension_that_is_forbidden_by_now_moves_no_end(
    idle: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was approved and had not begun when the bot stopped; the new rule lets nobody change such numbers."""
    stage = idle
    await stage.start()
    [number] = stage.telnyx.add_numbers(1, start="+13035550000", customer_reference="Dallas")
    change = await in_effect(stage, [number.phone_number])

    async def never(ending: ChangeEnd, claim: Claim) -> None:
        """Leave the task to the next bot."""

    with monkeypatch.context() as patched:
        patched.setattr(ChangeEnd, "extend", never)
        extension = await asked_to_extend(stage, change)
        await stage.approve(extension)
        await stage.stop()
    await under(stage, tmp_path, '[[rule]]\nname = "shut"\nallow = false\nwhy = "The year is closed."\n')

    await stage.slack.wait_for(
        lambda: any("it was not extended. The rule shut does not allow this" in each for each in stage.thread(change)),
        what="the reason in the thread",
    )

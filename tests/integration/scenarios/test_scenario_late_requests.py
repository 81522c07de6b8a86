"""A request for approval that comes late, because Slack does not take it: what belongs below it comes after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.scenarios.stage import APPROVALS, Stage
from tests.integration.scenarios.test_scenario_policy import TAGS, numbers, under
from tests.integration.scenarios.test_scenario_retention import until
from tests.integration.scenarios.test_scenario_revisions import below_the_request
from tests.integration.scenarios.test_scenario_stages import FALLBACK

#: Seconds until the approvers are reminded, and until the fallback approvers are called.
REMINDED: Final = 16 * 60
CALLED: Final = 2 * 3600


def is_request(params: dict[str, Any]) -> bool:
    """Tell whether a call posts a request for approval."""
    return ":approval_card" in str(params.get("metadata"))


async def decided_on(stage: Stage, what: str) -> None:
    """Wait until a step of the first change is written down."""
    query = f"SELECT COUNT(*) > 0 FROM events WHERE change_id = 1 AND what = '{what}'"  # noqa: S608 - a name from here
    await until(stage, query, [(1,)])


@pytest.fixture
async def unasked(idle: Stage, tmp_path: Path) -> Stage:
    """Set the stage with a request that Slack does not take, while its approvers are reminded and others called."""
    stage = await under(idle, tmp_path, FALLBACK.replace("never", "15m"))
    stage.slack.faults.add(method="chat.postMessage", kind="status", times=10_000, where=is_request)
    await stage.propose(numbers(stage, 1), TAGS)
    await stage.ana.submit()
    await stage.slack.wait_for(lambda: stage._posted(1, ":card"), what="the card")
    stage.clock.advance(REMINDED)
    await decided_on(stage, "reminded")
    stage.clock.advance(CALLED)
    await decided_on(stage, "fallback_asked")
    return stage


async def test_who_is_reminded_or_called_before_the_request_is_there_reads_it_below_it(unasked: Stage) -> None:
    """Nothing stands alone in the channel, where nobody could tell what it is about; all of it comes, once."""
    assert unasked.slack.messages(APPROVALS) == []

    unasked.slack.faults.clear()
    unasked.clock.advance(CALLED)
    await unasked.slack.wait_for(lambda: unasked._posted(1, ":approval_card"), what="the request")
    await unasked.quiet()

    [request] = unasked.slack.messages(APPROVALS)
    assert request is unasked.request_card(1)
    told = below_the_request(unasked, 1)
    assert sum("@Mia: nobody has approved CHG-1 for 2 h." in text for text in told) == 1
    assert any("CHG-1 still waits for a decision: @Max, @Mia." in text for text in told)

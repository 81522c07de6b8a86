"""Answers that hold more than was asked for, or something else: nothing that nobody named is planned or touched."""

from __future__ import annotations

from bot.sandbox.close import CloseStandIn
from tests.integration.scenarios.stage import Stage

MINE, OTHER = "+13035550000", "+13035550999"


def reads_of(stage: Stage, id_: str) -> int:
    """Count how often a number was read by itself."""
    return sum(call.path == f"/phone_numbers/{id_}" for call in stage.telnyx.calls)


async def test_an_ownership_answer_with_one_more_number_stops_the_plan(stage: Stage) -> None:
    """One number was pasted; the carrier's answer names a second one, and there is no plan at all."""
    stage.telnyx.add_number(MINE)
    stage.telnyx.intruders.append(stage.telnyx.add_number(OTHER).id)

    await stage.propose(MINE)

    assert f"Telnyx answered with {OTHER}, which was not requested" in stage.modal()
    assert stage.created() == []


async def test_another_number_than_the_id_asked_for_stops_the_plan(stage: Stage) -> None:
    """A look-up by an id that answers with another number is no look-up of that number."""
    mine, other = stage.telnyx.add_number(MINE), stage.telnyx.add_number(OTHER)
    stage.telnyx.mistaken[mine.id] = other.id

    await stage.propose(mine.id)

    assert f"Telnyx answered with {OTHER}, which was not requested" in stage.modal()


async def test_a_staleness_check_that_shows_another_number_sends_nothing(stage: Stage) -> None:
    """Just before the first batch the carrier answers with another number; nothing is sent until it does not."""
    mine, other = stage.telnyx.add_number(MINE), stage.telnyx.add_number(OTHER)
    change = await stage.ask(MINE)
    stage.telnyx.mistaken[mine.id] = other.id
    before = reads_of(stage, mine.id)

    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: reads_of(stage, mine.id) > before)
    stage.clock.advance(31)
    await stage.telnyx.wait_for(lambda: reads_of(stage, mine.id) > before + 1)
    assert stage.created() == []

    stage.telnyx.mistaken.clear()
    stage.clock.advance(60)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_a_read_back_that_shows_another_number_verifies_nothing(stage: Stage) -> None:
    """Another number's values are no proof; once the carrier answers what it is asked, the difference shows."""
    mine, other = stage.telnyx.add_number(MINE), stage.telnyx.add_number(OTHER, customer_reference="Denver")
    stage.telnyx.misbehave(None, "silently_dropped", field="customer_reference")
    stage.telnyx.job_seconds = 60
    change = await stage.ask(MINE)
    await stage.approve(change)
    await stage.slack.wait_for(lambda: stage.telnyx.jobs, what="the job")
    stage.telnyx.mistaken[mine.id] = other.id
    before = reads_of(stage, mine.id)

    stage.telnyx.advance(60)
    await stage.telnyx.wait_for(lambda: reads_of(stage, mine.id) > before + 1)
    stage.telnyx.mistaken.clear()
    stage.clock.advance(600)
    await stage.ended(change)

    assert stage.outcomes(change) == {"differs": 1}


async def test_close_is_held_to_what_it_is_asked_as_well(idle: Stage) -> None:
    """The guard stands above every provider."""
    async with CloseStandIn() as close:
        idle.close = close
        mine, other = close.add_number(MINE), close.add_number(OTHER)
        close.mistaken[mine.id] = other.id
        await idle.start()

        await idle.propose(mine.id, {"label": "Front desk"}, command="close")

        assert f"Close answered with {OTHER}, which was not requested" in idle.modal()
        assert close.updates == []
        await idle.stop()

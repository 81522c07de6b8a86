"""What a job changes that it was not asked to."""

from __future__ import annotations

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says

TECH = "voice.tech_prefix_enabled"
FORWARDING = {"call_forwarding": {"forwards_to": "+17205550000", "forwarding_type": "always"}}


async def test_siblings_that_a_job_wiped_are_told(stage: Stage) -> None:
    """A job that replaces the whole voice object leaves no number verified: what it reset is named everywhere."""
    for index in range(3):
        stage.telnyx.add_number(f"+1303555000{index}", voice=FORWARDING)
    stage.telnyx.misbehave(None, "voice_replaced")
    numbers = [f"+1303555000{index}" for index in range(3)]

    change = await stage.run(numbers, {TECH: "true"})

    assert stage.outcomes(change) == {"differs": 3}
    told = "Forward to was +17205550000 and is (empty)"
    for row in stage.results(change):
        assert row["reason_code"] == "linesman.also_changed"
        assert told in row["reason"]
        assert "what was sent is there" in row["reason"]
        assert row["Forward to (before)"] == "+17205550000"
        assert row["Tech prefix (found)"] == "on"
        assert row["Forward to (found)"] == "(empty)"
    assert told in stage.read(stage.card(change))
    assert told in stage.failures()[0]
    assert {call.path for call in stage.telnyx.calls if call.method == "GET" and "/jobs" not in call.path} == {
        f"/phone_numbers/{stage.telnyx.number(number).id}/voice" for number in numbers
    }


async def test_where_nothing_else_changed_nothing_else_is_told(stage: Stage) -> None:
    """The same change at a carrier that fills in what it gets is verified."""
    stage.telnyx.add_number("+13035550000", voice=FORWARDING)

    change = await stage.run(["+13035550000"], {TECH: "true"})

    assert stage.outcomes(change) == {"verified": 1}
    assert stage.failures() == []


async def test_a_canary_that_wiped_siblings_stops_there(stage: Stage) -> None:
    """Nothing else is sent before somebody has looked at what the first number lost."""
    numbers = [stage.telnyx.add_number(f"+1303555000{index}", voice=FORWARDING).phone_number for index in range(3)]
    stage.telnyx.misbehave(None, "voice_replaced")
    await stage.open()
    await stage.fill(numbers, {TECH: "true"}, "Moving to the new PBX")
    await stage.ana.type("canary", "1")
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "Paused")

    assert len(stage.created()) == 1
    assert "Forward to was +17205550000 and is (empty)" in stage.read(stage.card(change))
    assert stage.telnyx.number(numbers[2]).voice.call_forwarding["forwards_to"] == "+17205550000"

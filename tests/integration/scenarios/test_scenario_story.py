"""The main story, from the command to the last number."""

from __future__ import annotations

from tests.integration.scenarios.stage import FAILURES, OPS, Stage, key_of


async def test_a_change_goes_from_the_command_to_the_last_number(either: Stage) -> None:
    """What a requester asks for and a manager approves is done, watched, told and accounted for, once."""
    stage = either
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(30, start="+13035550000")]
    pbx = stage.telnyx.add_connection("Denver PBX")
    for number in numbers[3:6]:
        stage.telnyx.fail(number, pointer="/connection_id")

    preview = await stage.propose(numbers, {"connection_id": pbx.id, "tags": "denver, pbx"})
    shown = stage.read(preview)

    assert "30, of which 30 change" in shown
    assert f"Connection → Denver PBX ({pbx.id})" in shown
    assert "Tags → denver, pbx" in shown
    assert "1 of @Max, @Mia" in shown
    assert stage.created() == []

    change = await stage.request()
    assert stage.buttons(stage.request_card(change)) == ["approve", "reject", "details"]
    assert stage.created() == []
    answer = await stage.approve(change)
    assert "it is the last one needed" in answer

    await stage.ended(change)
    card = stage.read(stage.card(change))
    request = stage.request_card(change)

    assert "27 succeeded · 3 failed" in card
    assert "@Max approved" in card
    assert stage.card(change).channel == OPS
    assert stage.buttons(request) == []
    assert "@Max approved" in stage.read(request)
    assert stage.outcomes(change) == {"succeeded": 27, "failed": 3}
    failed = [row for row in stage.results(change) if row["outcome"] == "failed"]
    assert [row["number"] for row in failed] == numbers[3:6]
    assert {(row["reason_code"], row["reason"], row["pointer"]) for row in failed} == {
        ("10015", "The field is invalid.", "/connection_id")
    }
    assert [stage.telnyx.number(number).connection_id for number in numbers] == [
        None if number in numbers[3:6] else pbx.id for number in numbers
    ]
    [notice] = stage.slack.messages(FAILURES)
    assert "3 of 30 numbers failed" in stage.read(notice)
    assert notice.mentions.users == {"U0ANA"}
    stage.assert_nothing_doubled()
    assert key_of(notice) == f"CHG-{change}:failure:failed"

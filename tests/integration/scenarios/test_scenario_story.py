"""The main story, from the command to the last number."""

from __future__ import annotations

import pytest

from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Stage, key_of
from tests.integration.scenarios.steps import card_says


async def test_a_change_goes_from_the_command_to_the_last_number(either: Stage) -> None:
    """What a requester asks for and a manager approves is done, watched, told and accounted for, once."""
    stage = either
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(30, start="+13035550000")]
    pbx = stage.telnyx.add_connection("Denver PBX")
    for number in numbers[3:6]:
        stage.telnyx.fail(number, pointer="/connection_id")

    preview = await stage.propose(numbers, {"connection_id": pbx.id, "tags": "denver, pbx"})
    shown = stage.read(preview)

    assert "Numbers: 30 " in shown
    assert f"Connection → Denver PBX ({pbx.id})" in shown
    assert "Tags → denver, pbx" in shown
    assert "Needs 1 approval from @Max, @Mia" in shown
    assert stage.created() == []

    change = await stage.request()
    assert stage.buttons(stage.request_card(change)) == [
        "approve",
        "approve_with_comment",
        "reject",
        "ask_for_changes",
        "details",
    ]
    assert stage.created() == []
    answer = await stage.approve(change)
    assert "That was the last approval needed" in answer

    await stage.ended(change)
    card = stage.read(stage.card(change))
    request = stage.request_card(change)

    assert "27 verified · 3 failed" in card
    assert "@Max approved" in card
    assert stage.card(change).channel == OPS
    assert stage.buttons(request) == []
    assert "@Max approved" in stage.read(request)
    assert stage.outcomes(change) == {"verified": 27, "failed": 3}
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


async def test_the_card_is_one_message_and_the_thread_is_short(stage: Stage) -> None:
    """However many jobs a change has, it has one card, one request for approval and at most eight thread messages."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(2050, start="+13035550000")]

    preview = await stage.propose(numbers)
    assert "Jobs: 3" in stage.read(preview)
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert sorted(len(job.operations) for job in stage.telnyx.jobs) == [50, 1000, 1000]
    assert stage.outcomes(change) == {"verified": 2050}
    assert [row["number"] for row in stage.results(change)] == numbers
    assert len(stage.slack.messages(OPS)) == 1
    assert len(stage.slack.messages(APPROVALS)) == 1
    assert stage.failures() == []
    assert len(stage.thread(change)) <= 8
    assert "2,050 verified" in stage.read(stage.card(change))
    stage.assert_nothing_doubled()


async def test_emergency_service_is_switched_on_with_the_name_of_its_address(stage: Stage) -> None:
    """Wherever the emergency address is shown, its street stands beside its id; and it costs money, which is said."""
    address = stage.telnyx.add_address("1 Market Street")
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    wanted = {"emergency_enabled": "true", "emergency_address_id": address.id}

    preview = stage.read(await stage.propose(numbers, wanted, command="emergency"))
    change = await stage.request()
    shown = (preview, stage.read(stage.request_card(change)), stage.read(stage.card(change)))
    await stage.approve(change)
    await stage.ended(change)

    for text in shown:
        assert "1 Market Street" in text
        assert address.id in text
    assert "3 numbers get Emergency service switched on, which costs money" in preview
    assert "3 numbers get Emergency service switched on, which costs money" in shown[1]
    assert [job.type for job in stage.telnyx.jobs] == ["update_emergency_settings"]
    assert {stage.telnyx.number(number).emergency_address_id for number in numbers} == {address.id}
    assert all(stage.telnyx.number(number).emergency_enabled for number in numbers)


async def test_emergency_service_is_switched_off_without_an_address(stage: Stage) -> None:
    """Switching emergency service off sends no address, which the carrier would refuse."""
    address = stage.telnyx.add_address("1 Market Street")
    numbers = [n.phone_number for n in stage.telnyx.add_numbers(3, start="+13035550000", emergency=address.id)]

    change = await stage.run(numbers, {"emergency_enabled": "false"}, command="emergency")

    assert stage.outcomes(change) == {"verified": 3}
    [call] = stage.created()
    assert isinstance(call.body, dict)
    assert set(call.body) == {"phone_numbers", "emergency_enabled"}
    assert not any(stage.telnyx.number(number).emergency_enabled for number in numbers)


@pytest.mark.parametrize("enabled", [True, False], ids=["on-without-address", "off-with-address"])
async def test_the_emergency_rule_is_checked_before_anything_is_sent(stage: Stage, enabled: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """On needs an address and off takes none; the form says so on the address, and nothing reaches the carrier."""
    address = stage.telnyx.add_address("1 Market Street")
    number = stage.telnyx.add_number("+13035550000", emergency=None if enabled else address.id)
    await stage.open("emergency")
    await stage.fill(number.phone_number, {"emergency_enabled": "true" if enabled else "false"}, "Because")
    if not enabled:
        await stage.set("emergency_address_id", address.id)

    errors = await stage.refused()

    assert list(errors) == ["value:emergency_address_id"]
    assert "address" in errors["value:emergency_address_id"]
    assert stage.created() == []


async def test_ids_and_numbers_given_together_become_jobs_of_ids_only(stage: Stage) -> None:
    """Ids and E.164 may be mixed in the form, but never in a call; a number given both ways is one number."""
    owned = stage.telnyx.add_numbers(6, start="+13035550000")
    pasted = [
        owned[0].id,
        owned[1].phone_number,
        owned[2].id,
        owned[3].phone_number,
        owned[4].id,
        owned[4].phone_number,
    ]

    preview = await stage.propose(pasted)
    assert "Numbers: 5 " in stage.read(preview)
    assert "1 repeated entry was dropped" in stage.read(preview)
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    [call] = stage.created()
    assert isinstance(call.body, dict)
    assert call.body["phone_numbers"] == [number.id for number in owned[:5]]
    assert stage.outcomes(change) == {"verified": 5}
    assert owned[5].customer_reference is None


async def test_nested_settings_go_out_whole_and_nothing_beside_them_is_reset(stage: Stage) -> None:
    """Numbers whose forwarding differs are sent in jobs of their own, each with the whole object as it was."""
    targets = [f"+1720555{index:04d}" for index in range(4)]
    for index, target in enumerate(targets):
        forwarding = {"call_forwarding_enabled": index % 2 == 0, "forwards_to": target, "forwarding_type": "always"}
        recording = {"inbound_call_recording_enabled": True, "inbound_call_recording_format": "mp3"}
        voice: dict[str, object] = {"call_forwarding": forwarding, "call_recording": recording}
        stage.telnyx.add_number(f"+1303555{index:04d}", voice=voice)
    before = {number.phone_number: dict(number.voice.call_recording) for number in stage.telnyx.numbers.values()}

    change = await stage.run(list(before), {"voice.call_forwarding.forwarding_type": "on-failure"})

    assert stage.outcomes(change) == {"verified": 4}
    for index, target in enumerate(targets):
        assert stage.telnyx.number(f"+1303555{index:04d}").voice.call_forwarding == {
            "call_forwarding_enabled": index % 2 == 0,
            "forwards_to": target,
            "forwarding_type": "on-failure",
        }
    assert {n.phone_number: n.voice.call_recording for n in stage.telnyx.numbers.values()} == before
    for call in stage.created():
        assert isinstance(call.body, dict)
        assert set(call.body["voice"]["call_forwarding"]) == {
            "call_forwarding_enabled",
            "forwards_to",
            "forwarding_type",
        }


async def test_more_jobs_than_the_carrier_allows_wait_for_their_turn(idle: Stage) -> None:
    """Of 25 jobs at most 20 are in flight, the carrier refuses none of them, and all end."""
    idle.telnyx.job_seconds = 60
    for index in range(25):
        forwarding: dict[str, object] = {
            "call_forwarding": {"forwards_to": f"+1720555{index:04d}", "forwarding_type": "always"}
        }
        idle.telnyx.add_number(f"+1303555{index:04d}", voice=forwarding)
    numbers = [number.phone_number for number in idle.telnyx.numbers.values()]
    await idle.start()

    change = await idle.ask(numbers, {"voice.call_forwarding.forwarding_type": "on-failure"})
    assert "Jobs: 25" in idle.read(idle.request_card(change))
    await idle.approve(change)
    full = "20 running, 5 waiting for a free slot: 20 of 20 in use, all by Linesman"
    await card_says(idle, change, full)
    assert len(idle.created()) == 20
    idle.telnyx.job_seconds = 0.1
    idle.telnyx.advance(60)
    await idle.ended(change)

    assert len(idle.telnyx.jobs) == 25
    assert [call.status for call in idle.created()] == [202] * 25
    assert idle.outcomes(change) == {"verified": 25}
    assert len(idle.thread(change)) <= 8
    idle.assert_nothing_doubled()


async def test_slots_taken_by_somebody_else_are_waited_for(idle: Stage) -> None:
    """When others fill the carrier's limit, the change waits, says so, and goes on once there is room."""
    number = idle.telnyx.add_number("+13035550000")
    idle.telnyx.other_jobs(20, "update_phone_numbers")
    await idle.start()
    change = await idle.ask(number.phone_number)
    await idle.approve(change)
    await card_says(idle, change, "1 waiting")
    assert idle.telnyx.jobs == []

    idle.telnyx.end_other_jobs()
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 1}
    assert idle.failures() == []
    assert number.customer_reference == "Denver"
    idle.assert_nothing_doubled()

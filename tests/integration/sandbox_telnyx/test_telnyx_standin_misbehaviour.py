"""Jobs that go wrong as a whole, and reports that lie."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.sandbox.telnyx import Misbehaviour, TelnyxStandIn

UPDATE = "/phone_numbers/jobs/update_phone_numbers"


async def run(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    settings: dict[str, Any],
    count: int = 4,
) -> httpx.Response:
    """Run a job over new numbers to its end and return what reading it answers."""
    numbers = telnyx.add_numbers(count, start="+13035550100")
    body = {"phone_numbers": [number.id for number in numbers], **settings}
    created = await client.post(UPDATE, json=body)
    assert created.status_code == 202
    telnyx.advance(10)
    return await client.get(f"/phone_numbers/jobs/{created.json()['data']['id']}")


def tagged(telnyx: TelnyxStandIn) -> list[bool]:
    """Tell of each number, in order, whether the job reached it."""
    return [number.tags == ["x"] for number in telnyx.numbers.values()]


@pytest.mark.parametrize(
    ("how", "report", "reached"),
    [
        (Misbehaviour.STUCK_PENDING, ("pending", 4, 0, 0), [False] * 4),
        (Misbehaviour.EXPIRED, ("expired", 2, 2, 0), [True, True, False, False]),
        (Misbehaviour.FAILED_EMPTY, ("failed", 0, 0, 0), [False] * 4),
        (Misbehaviour.COMPLETED_EMPTY, ("completed", 0, 0, 0), [True] * 4),
        (Misbehaviour.NEVER_ENDS, ("in_progress", 0, 4, 0), [True] * 4),
        (Misbehaviour.COMPLETED_MISSING, ("completed", 0, 3, 0), [True, True, True, False]),
        (Misbehaviour.NUMBER_IN_TWO_LISTS, ("completed", 0, 4, 1), [True] * 4),
        pytest.param(Misbehaviour.UNKNOWN_STATUS, ("suspended", 0, 4, 0), [True] * 4, marks=pytest.mark.lies),
    ],
)
async def test_a_job_ends_badly(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    how: Misbehaviour,
    report: tuple[str, int, int, int],
    reached: list[bool],
) -> None:
    """Each misbehaviour shows its status and lists, and changes the numbers that it says it changes."""
    telnyx.misbehave(None, how)

    job = (await run(telnyx, client, {"tags": ["x"]})).json()["data"]

    lists = (len(job[f"{state}_operations"]) for state in ("pending", "successful", "failed"))
    assert (job["status"], *lists) == report
    assert tagged(telnyx) == reached


async def test_a_number_in_two_lists_is_the_same_number(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """The contradiction is about one number, with an error beside its success."""
    telnyx.misbehave(None, "number_in_two_lists")

    job = (await run(telnyx, client, {"tags": ["x"]})).json()["data"]

    assert job["successful_operations"][0]["id"] == job["failed_operations"][0]["id"]
    assert job["failed_operations"][0]["errors"]


async def test_a_job_disappears_once_it_has_ended(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """A finished job that is gone is gone from the list as well, its effects are not."""
    telnyx.misbehave(None, "not_found_later")

    response = await run(telnyx, client, {"tags": ["x"]})

    assert response.status_code == 404
    assert (await client.get("/phone_numbers/jobs")).json()["data"] == []
    assert tagged(telnyx) == [True] * 4


@pytest.mark.parametrize(
    ("field", "settings", "kept"),
    [
        ("tags", {"tags": ["x"], "customer_reference": "R"}, []),
        ("voice.usage_payment_method", {"voice": {"usage_payment_method": "channel"}}, "pay-per-minute"),
        (
            "voice.call_forwarding.forwards_to",
            {"voice": {"call_forwarding": {"forwards_to": "+13035559123"}}},
            "",
        ),
    ],
)
async def test_a_field_is_silently_dropped(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    field: str,
    settings: dict[str, Any],
    kept: object,
) -> None:
    """The job reports success for every number, and one field is as it was."""
    telnyx.misbehave("update_phone_numbers", "silently_dropped", field=field)

    job = (await run(telnyx, client, settings)).json()["data"]

    assert (job["status"], len(job["successful_operations"])) == ("completed", 4)
    assert [kept] * 4 == [number.value(field) for number in telnyx.numbers.values()]
    if "customer_reference" in settings:
        assert {"R"} == {number.customer_reference for number in telnyx.numbers.values()}


async def test_a_voice_object_can_be_replaced_whole(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """What the job did not name falls back to its default, in other objects and at the top of this one too."""
    telnyx.misbehave(None, Misbehaviour.VOICE_REPLACED)
    number = telnyx.add_number("+13035550000", voice={"translated_number": "4711", "caller_id_name_enabled": True})
    body = {"phone_numbers": [number.id], "voice": {"tech_prefix_enabled": True}}

    await client.post(UPDATE, json=body)
    telnyx.advance(10)

    voice = telnyx.number(number.id).voice
    assert (voice.tech_prefix_enabled, voice.translated_number, voice.caller_id_name_enabled) == (True, "", False)


async def test_emergency_service_comes_in_its_own_time(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """The job is done and the service is not; one number is turned down, and switching off takes its time as well."""
    address = telnyx.add_address("311 W Superior St")
    one, other = telnyx.add_numbers(2, start="+13035550100")
    telnyx.emergency.seconds = 60
    telnyx.emergency.turned_down = {other.phone_number}
    path = "/phone_numbers/jobs/update_emergency_settings"
    body = {"phone_numbers": [one.id, other.id], "emergency_enabled": True, "emergency_address_id": address.id}

    created = await client.post(path, json=body)
    telnyx.advance(10)
    job = (await client.get(f"/phone_numbers/jobs/{created.json()['data']['id']}")).json()["data"]
    shown = (await client.get(f"/phone_numbers/{one.id}")).json()["data"]
    telnyx.advance(60)
    after = [(number.emergency_enabled, number.emergency_status) for number in telnyx.numbers.values()]
    await client.post(path, json={"phone_numbers": [one.id], "emergency_enabled": False})
    telnyx.advance(10)
    leaving = telnyx.number(one.id).emergency_status
    telnyx.advance(60)

    assert (job["status"], len(job["successful_operations"])) == ("completed", 2)
    assert (shown["emergency_enabled"], shown["emergency_status"]) == (False, "provisioning")
    assert after == [(True, "active"), (False, "provisioning-failed")]
    assert leaving == "deprovisioning"
    assert telnyx.number(one.id).emergency_status == "disabled"


async def test_a_field_can_be_dropped_on_some_numbers_only(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """The numbers are named by E.164 or by id; the others of the same job get the value."""
    telnyx.misbehave(None, "silently_dropped", field="tags", numbers=["+13035550101"])

    job = (await run(telnyx, client, {"tags": ["x"]})).json()["data"]

    assert len(job["successful_operations"]) == 4
    assert tagged(telnyx) == [True, False, True, True]


@pytest.mark.parametrize("path", ["/phone_numbers", "/phone_numbers/voice", "/phone_numbers/{id}"])
async def test_a_change_can_show_late(telnyx: TelnyxStandIn, client: httpx.AsyncClient, path: str) -> None:
    """With a lag every reader sees a number as it was, until the lag is over; the job says what is true."""
    telnyx.read_lag = 60
    job = (await run(telnyx, client, {"customer_reference": "R"}, count=1)).json()["data"]
    address = path.format(id=next(iter(telnyx.numbers)))

    async def seen() -> object:
        data = (await client.get(address)).json()["data"]
        return (data[0] if isinstance(data, list) else data)["customer_reference"]

    assert len(job["successful_operations"]) == 1
    assert await seen() is None
    telnyx.advance(61)
    assert await seen() == "R"


@pytest.mark.lies
async def test_ids_can_come_as_integers(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """Ids are JSON integers wherever the job has one."""
    telnyx.misbehave(None, "ids_as_integers")

    job = (await run(telnyx, client, {"tags": ["x"]}, count=1)).json()["data"]

    expected = int(next(iter(telnyx.numbers)))
    assert [{"id": expected, "phone_number": "+13035550100"}] == job["successful_operations"]
    assert [{"id": expected}] == job["phone_numbers"]
    assert [expected] == job["parameters"]["phone_numbers"]


@pytest.mark.lies
async def test_a_source_can_be_a_plain_text(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """Old answers have the pointer itself where the new ones have an object."""
    telnyx.misbehave(None, "source_as_string")
    telnyx.fail("+13035550100", pointer="/connection_id")

    job = (await run(telnyx, client, {"tags": ["x"]}, count=1)).json()["data"]

    assert job["failed_operations"][0]["errors"][0]["source"] == "/connection_id"


async def test_only_the_jobs_meant_misbehave(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """Jobs are picked by type, by id or by a function, also after their creation; others are left in peace."""
    number = telnyx.add_number("+13035550100")
    for reference in ("a", "b", "c"):
        await client.post(UPDATE, json={"phone_numbers": [number.id], "customer_reference": reference})
    telnyx.misbehave(telnyx.jobs[0].id, "stuck_pending")
    telnyx.misbehave(lambda job: job.body.get("customer_reference") == "b", "failed_empty")
    telnyx.misbehave("delete_phone_numbers", "stuck_pending")
    telnyx.other_jobs(1, "delete_phone_numbers", seconds=1)

    telnyx.advance(10)

    listed = (await client.get("/phone_numbers/jobs", params={"sort": "created_at"})).json()["data"]
    assert [job["status"] for job in listed] == ["pending", "failed", "completed", "completed"]


@pytest.mark.parametrize(
    ("how", "field"),
    [("explodes", None), ("silently_dropped", None), ("expired", "tags")],
)
async def test_a_misbehaviour_must_make_sense(telnyx: TelnyxStandIn, how: str, field: str | None) -> None:
    """An unknown way, a missing field or one too many is a mistake in the test."""
    with pytest.raises(ValueError, match=r"explodes|silently_dropped"):
        telnyx.misbehave(None, how, field=field)

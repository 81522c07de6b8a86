"""A job's life, its effects on numbers, and what the job endpoints tell of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from bot.sandbox.telnyx import TelnyxStandIn

UPDATE = "update_phone_numbers"
EMERGENCY = "update_emergency_settings"
DELETE = "delete_phone_numbers"

Create = Callable[..., Awaitable[httpx.Response]]
#: httpx types its lists of parameters invariantly.
Params = list[tuple[str, str | int | float | bool | None]]
Read = Callable[[httpx.Response], Awaitable[dict[str, Any]]]


@pytest.fixture
def read(client: httpx.AsyncClient) -> Read:
    """Give a function that reads the job that a creation answered."""

    async def get(created: httpx.Response) -> dict[str, Any]:
        response = await client.get(f"/phone_numbers/jobs/{created.json()['data']['id']}")
        assert response.status_code == 200
        job: dict[str, Any] = response.json()["data"]
        return job

    return get


def counts(job: dict[str, Any]) -> tuple[str, int, int, int]:
    """Return a job's status and the lengths of its pending, successful and failed lists."""
    pending, successful, failed = (len(job[f"{state}_operations"]) for state in ("pending", "successful", "failed"))
    return job["status"], pending, successful, failed


async def test_a_new_job_is_pending_with_every_documented_field(telnyx: TelnyxStandIn, create: Create) -> None:
    """The 202 shows the whole job, nothing done yet, and when it will probably be."""
    number = telnyx.add_number("+13035550100")

    response = await create(UPDATE, {"phone_numbers": [number.phone_number], "tags": ["vip"]})

    job = response.json()["data"]
    assert response.status_code == 202
    assert {
        "id": telnyx.jobs[0].id,
        "record_type": "phone_numbers_job",
        "status": "pending",
        "type": UPDATE,
        "etc": "2026-11-20T09:00:10.000Z",
        "created_at": "2026-11-20T09:00:00.000Z",
        "updated_at": "2026-11-20T09:00:00.000Z",
        "phone_numbers": [{"phone_number": "+13035550100"}],
        "successful_operations": [],
        "pending_operations": [{"id": number.id, "phone_number": "+13035550100"}],
        "failed_operations": [],
        "parameters": {"phone_numbers": ["+13035550100"], "tags": ["vip"]},
    } == job
    assert number.tags == []


async def test_a_job_fills_three_lists_on_its_way(telnyx: TelnyxStandIn, create: Create, read: Read) -> None:
    """Operations move one by one, so a job under way has pending, successful and failed ones at once."""
    numbers = telnyx.add_numbers(9, start="+13035550100")
    telnyx.fail(numbers[1].phone_number, detail="No such luck.", pointer="/tags")
    created = await create(UPDATE, {"phone_numbers": [n.id for n in numbers], "tags": ["vip"]})

    seen = []
    for _ in range(6):
        seen.append(counts(await read(created)))
        telnyx.advance(2)

    assert seen == [
        ("pending", 9, 0, 0),
        ("in_progress", 8, 1, 0),
        ("in_progress", 6, 2, 1),
        ("in_progress", 4, 4, 1),
        ("in_progress", 2, 6, 1),
        ("completed", 0, 8, 1),
    ]
    failed = (await read(created))["failed_operations"]
    assert [
        {
            "id": numbers[1].id,
            "phone_number": "+13035550101",
            "errors": [
                {
                    "code": "10015",
                    "title": "Bad Request",
                    "detail": "No such luck.",
                    "source": {"pointer": "/tags"},
                },
            ],
        },
    ] == failed
    assert [number.tags == ["vip"] for number in numbers] == [True, False] + [True] * 7


async def test_numbers_change_when_their_operation_succeeds(telnyx: TelnyxStandIn, create: Create) -> None:
    """A setting takes effect number by number, not when the job is created."""
    first, second = telnyx.add_numbers(2, start="+13035550100")
    await create(UPDATE, {"phone_numbers": [first.id, second.id], "customer_reference": "R1"})

    telnyx.advance(6)
    half = [telnyx.number(number.id).customer_reference for number in (first, second)]
    telnyx.advance(4)
    whole = [telnyx.number(number.id).customer_reference for number in (first, second)]

    assert half == ["R1", None]
    assert whole == ["R1", "R1"]


async def test_emergency_services_are_enabled_and_disabled(telnyx: TelnyxStandIn, create: Create) -> None:
    """The emergency job sets the address and the status together, and takes both away."""
    address = telnyx.add_address("1 Main St")
    number = telnyx.add_number("+13035550100")
    target = {"phone_numbers": [number.id]}

    await create(EMERGENCY, target | {"emergency_enabled": True, "emergency_address_id": address.id})
    telnyx.advance(10)
    telnyx.number(number.id)
    enabled = (number.emergency_enabled, number.emergency_address_id, number.emergency_status)
    await create(EMERGENCY, target | {"emergency_enabled": False, "emergency_address_id": None})
    telnyx.advance(10)
    telnyx.number(number.id)
    disabled = (number.emergency_enabled, number.emergency_address_id, number.emergency_status)

    assert (True, address.id, "active") == enabled
    assert disabled == (False, None, "disabled")
    assert telnyx.jobs[1].as_json()["parameters"] == {
        "phone_numbers": [number.id],
        "emergency_enabled": False,
        "emergency_address_id": None,
    }


async def test_an_unfit_address_fails_every_operation(telnyx: TelnyxStandIn, create: Create, read: Read) -> None:
    """An address that does not suit emergencies is accepted and then fails, and so does the job."""
    address = telnyx.add_address("Somewhere", valid_for_emergency=False)
    numbers = telnyx.add_numbers(2, start="+13035550100")
    body = {
        "phone_numbers": [n.id for n in numbers],
        "emergency_enabled": True,
        "emergency_address_id": address.id,
    }

    created = await create(EMERGENCY, body)
    telnyx.advance(10)
    job = await read(created)

    assert counts(job) == ("failed", 0, 0, 2)
    assert job["failed_operations"][0]["errors"][0]["source"] == {"pointer": "/emergency_address_id"}


async def test_deleted_numbers_vanish_and_locked_ones_stay(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    create: Create,
    read: Read,
) -> None:
    """Deletion is for good, fails for a locked number, and the job remembers what it deleted."""
    gone = telnyx.add_number("+13035550100")
    locked = telnyx.add_number("+13035550101", deletion_lock_enabled=True)

    created = await create(DELETE, {"phone_numbers": [gone.phone_number, locked.phone_number]})
    telnyx.advance(10)
    job = await read(created)

    assert [{"id": gone.id, "phone_number": gone.phone_number}] == job["successful_operations"]
    assert job["failed_operations"][0]["errors"][0]["source"]["pointer"] == "/deletion_lock_enabled"
    assert [locked.id] == list(telnyx.numbers)
    assert (await client.get(f"/phone_numbers/{gone.id}")).status_code == 404


async def test_a_number_that_went_away_meanwhile_fails(telnyx: TelnyxStandIn, create: Create, read: Read) -> None:
    """An operation on a number that somebody deleted in the meantime is not found."""
    number, other = telnyx.add_numbers(2, start="+13035550100")
    created = await create(UPDATE, {"phone_numbers": [number.id, other.id], "tags": ["x"]})
    telnyx.remove_number(number.id)
    telnyx.advance(10)

    assert (await read(created))["failed_operations"][0]["errors"][0]["code"] == "10005"


async def test_a_number_out_of_service_fails(telnyx: TelnyxStandIn, create: Create, read: Read) -> None:
    """A number that is not in an editable state is accepted, and its operation fails."""
    number = telnyx.add_number("+13035550100", status="ported-out")
    created = await create(UPDATE, {"phone_numbers": [number.id], "tags": ["x"]})
    telnyx.advance(10)

    job = await read(created)
    assert counts(job) == ("failed", 0, 0, 1)
    assert job["failed_operations"][0]["errors"][0]["source"]["pointer"] == "/status"


async def test_an_ordered_failure_can_be_for_one_type_and_some_times(
    telnyx: TelnyxStandIn,
    create: Create,
    read: Read,
) -> None:
    """``fail`` keeps to the job type and the number of times it was given."""
    number = telnyx.add_number("+13035550100")
    telnyx.fail(number.phone_number, job_type="update_phone_numbers", times=1)

    found = []
    for kind, rest in (
        (EMERGENCY, {"emergency_enabled": False}),
        (UPDATE, {"tags": ["a"]}),
        (UPDATE, {"tags": ["b"]}),
    ):
        created = await create(kind, {"phone_numbers": [number.id], **rest})
        telnyx.advance(10)
        found.append((await read(created))["status"])

    assert found == ["completed", "failed", "completed"]


async def test_numbers_are_echoed_as_given_without_repetitions(telnyx: TelnyxStandIn, create: Create) -> None:
    """The job repeats the targets in the caller's own terms, each once."""
    first, second = telnyx.add_numbers(2, start="+13035550100")

    by_id = await create(UPDATE, {"phone_numbers": [first.id, second.id, first.id], "tags": ["x"]})
    by_number = await create(UPDATE, {"phone_numbers": [first.phone_number] * 2, "tags": ["x"]})

    assert [{"id": first.id}, {"id": second.id}] == by_id.json()["data"]["phone_numbers"]
    assert [{"phone_number": first.phone_number}] == by_number.json()["data"]["phone_numbers"]


async def test_parameters_hold_the_pin_but_not_the_translated_number(telnyx: TelnyxStandIn, create: Create) -> None:
    """What is saved of a job includes the secret and excludes one voice field, as documented."""
    number = telnyx.add_number("+13035550100")
    voice = {"translated_number": "+13035559999", "tech_prefix_enabled": True}

    created = await create(UPDATE, {"phone_numbers": [number.id], "external_pin": "4321", "voice": voice})

    assert {
        "phone_numbers": [number.id],
        "external_pin": "4321",
        "voice": {"tech_prefix_enabled": True},
    } == created.json()["data"]["parameters"]


async def test_a_filter_selects_the_numbers_of_an_update(telnyx: TelnyxStandIn, create: Create) -> None:
    """A filter may come without or with an empty list; the job names the ids that it found."""
    bundled = telnyx.add_number("+13035550100", has_bundle=True)
    telnyx.add_number("+13035550101")

    for body in ({"tags": ["x"]}, {"tags": ["x"], "phone_numbers": []}):
        response = await create(UPDATE, body, **{"filter[has_bundle]": "true"})
        job = response.json()["data"]
        assert [{"id": bundled.id}] == job["phone_numbers"]
        assert [bundled.id] == job["parameters"]["phone_numbers"]
    assert [job.filtered for job in telnyx.jobs] == [True, True]


async def test_a_filter_takes_a_thousand_at_most_and_one_at_least(telnyx: TelnyxStandIn, create: Create) -> None:
    """Of more than a thousand matches the newest thousand are taken; no match and a list beside it are refused."""
    numbers = telnyx.add_numbers(1001, start="+13035550000")
    body = {"tags": ["x"]}

    many = await create(UPDATE, body, **{"filter[status]": "active"})
    none = await create(UPDATE, body, **{"filter[tag]": "unheard-of"})
    both = await create(UPDATE, body | {"phone_numbers": [numbers[0].id]}, **{"filter[status]": "active"})

    assert [{"id": number.id} for number in reversed(numbers[1:])] == many.json()["data"]["phone_numbers"]
    assert none.json()["errors"][0]["detail"] == "You must provide at least 1 phone number."
    assert (both.status_code, both.json()["errors"][0]["source"]["pointer"]) == (422, "/phone_numbers")


async def test_no_other_job_takes_a_filter(telnyx: TelnyxStandIn, create: Create) -> None:
    """Deletion and emergency settings work on explicit lists only."""
    number = telnyx.add_number("+13035550100")
    for kind, rest in ((DELETE, {}), (EMERGENCY, {"emergency_enabled": False})):
        response = await create(kind, {"phone_numbers": [number.id], **rest}, **{"filter[status]": "active"})
        assert response.status_code == 400


async def test_jobs_of_others_end_by_themselves_when_told(telnyx: TelnyxStandIn, create: Create) -> None:
    """Somebody else's jobs with a duration make room when it is over."""
    telnyx.other_jobs(20, "update_phone_numbers", seconds=5)
    number = telnyx.add_number("+13035550100")
    body = {"phone_numbers": [number.id], "tags": ["x"]}

    full = (await create(UPDATE, body)).status_code
    telnyx.advance(5)
    free = (await create(UPDATE, body)).status_code

    assert (full, free) == (422, 202)


async def test_a_job_runs_by_the_real_clock_when_none_is_given() -> None:
    """Without a manual clock a job is done after its real seconds, with nobody polling it."""
    async with (
        TelnyxStandIn(api_key="K", job_seconds=0.2) as telnyx,
        httpx.AsyncClient(base_url=telnyx.url, headers={"Authorization": "Bearer K"}) as client,
    ):
        number = telnyx.add_number("+13035550100")
        body = {"phone_numbers": [number.id], "tags": ["x"]}
        await client.post("/phone_numbers/jobs/update_phone_numbers", json=body)

        found = await telnyx.wait_for(lambda: telnyx.number(number.id).tags, timeout=5)

    assert found == ["x"]


async def test_full_load_is_comfortable(telnyx: TelnyxStandIn, create: Create) -> None:
    """Twenty jobs of a thousand numbers each go through in a few seconds of real time."""
    numbers = telnyx.add_numbers(20_000, start="+13035500000")
    async with asyncio.timeout(60):
        for first in range(0, 20_000, 1000):
            chunk = [number.id for number in numbers[first : first + 1000]]
            assert (await create(UPDATE, {"phone_numbers": chunk, "tags": ["x"]})).status_code == 202
        telnyx.advance(10)
        finished = [job.finished for job in telnyx.jobs]

    assert finished == [True] * 20
    assert {("x",)} == {tuple(number.tags) for number in numbers}

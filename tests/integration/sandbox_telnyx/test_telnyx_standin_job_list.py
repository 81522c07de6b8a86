"""The list of jobs: filters, order, pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.sandbox.telnyx import Number, TelnyxStandIn

UPDATE = "update_phone_numbers"
EMERGENCY = "update_emergency_settings"
DELETE = "delete_phone_numbers"

Create = Callable[..., Awaitable[httpx.Response]]
#: httpx types its lists of parameters invariantly.
Params = list[tuple[str, str | int | float | bool | None]]


async def ids(client: httpx.AsyncClient, params: Params) -> list[str]:
    """Return the ids of the jobs that a list shows."""
    response = await client.get("/phone_numbers/jobs", params=params)
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()["data"]]


@pytest.fixture
async def four_jobs(telnyx: TelnyxStandIn, create: Create) -> dict[str, str]:
    """Create four jobs, a day apart; the ids by name."""
    one, two, three = telnyx.add_numbers(3, start="+13035550100")

    async def job(kind: str, number: Number, **rest: Any) -> str:
        telnyx.advance(timedelta(days=1).total_seconds())
        response = await create(kind, {"phone_numbers": [number.id], **rest})
        found: str = response.json()["data"]["id"]
        return found

    telnyx.fail(two.id, job_type="update_phone_numbers")
    return {
        "old": await job(UPDATE, one, customer_reference="Ref"),
        "failed": await job(UPDATE, two, customer_reference="Ref"),
        "emergency": await job(EMERGENCY, two, emergency_enabled=False),
        "new": await job(DELETE, three),
    }


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param([], ["new", "emergency", "failed", "old"], id="newest first"),
        pytest.param([("sort", "created_at")], ["old", "failed", "emergency", "new"], id="sorted"),
        pytest.param([("filter[type]", UPDATE)], ["failed", "old"], id="type"),
        pytest.param([("filter[status][]", "pending")], ["new"], id="status"),
        pytest.param(
            [("filter[status][]", "pending"), ("filter[status][]", "failed")],
            ["new", "failed"],
            id="two statuses",
        ),
        pytest.param([("filter[phone_number]", "+13035550101")], ["emergency", "failed"], id="number"),
        pytest.param(
            [("filter[phone_number][]", "+13035550100"), ("filter[phone_number][]", "+13035550102")],
            ["new", "old"],
            id="two numbers",
        ),
        pytest.param([("filter[phone_number]", "+19995550100")], [], id="foreign number"),
        pytest.param([("filter[customer_reference]", "Ref")], ["failed", "old"], id="reference"),
        pytest.param([("filter[customer_reference]", "ref")], [], id="reference in another case"),
        pytest.param(
            [("filter[type]", UPDATE), ("filter[status][]", "completed")],
            ["old"],
            id="two filters",
        ),
        pytest.param([("page[size]", "3"), ("page[number]", "2")], ["old"], id="second page"),
    ],
)
async def test_jobs_are_listed(
    client: httpx.AsyncClient,
    four_jobs: dict[str, str],
    params: Params,
    expected: list[str],
) -> None:
    """Each filter, the order and the paging of the job list do what the reference says."""
    names = {job_id: name for name, job_id in four_jobs.items()}

    assert expected == [names[job_id] for job_id in await ids(client, params)]


async def test_ten_numbers_may_be_asked_for(client: httpx.AsyncClient) -> None:
    """The job list takes ten numbers, repetitions counted, and no eleventh."""
    params: Params = [("filter[phone_number][]", "+13035550100")] * 10

    assert await ids(client, params) == []
    refused = await client.get("/phone_numbers/jobs", params=[*params, params[0]])
    assert refused.status_code == 422


@pytest.mark.usefixtures("four_jobs")
async def test_references_are_found_for_ninety_days(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """The reference filter looks back 90 days and no further; the job itself stays."""
    params: Params = [("filter[customer_reference]", "Ref")]
    telnyx.advance(timedelta(days=87).total_seconds())
    within = len(await ids(client, params))
    telnyx.advance(timedelta(days=1).total_seconds())
    later = len(await ids(client, params))

    assert (within, later) == (2, 1)
    assert len(await ids(client, [])) == 4


async def test_the_list_tells_its_totals(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """A page has 20 rows by default, and the meta object counts jobs of others too."""
    telnyx.other_jobs(45, "update_emergency_settings")

    response = await client.get("/phone_numbers/jobs", params={"page[number]": "3"})

    assert response.json()["meta"] == {"total_pages": 3, "total_results": 45, "page_number": 3, "page_size": 20}
    assert len(response.json()["data"]) == 5
    assert telnyx.jobs == []

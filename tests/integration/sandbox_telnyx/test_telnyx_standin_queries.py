"""Query strings that are refused: paging, sorting, filters."""

from __future__ import annotations

import httpx
import pytest

from bot.sandbox.telnyx import TelnyxStandIn

PAGE = "The provided 'page' parameter is invalid. It must be an object with 'size' and/or 'number' with numeric values."
SORT = "The value provided for sorting is not valid. Check the value used and try again."


@pytest.fixture(autouse=True)
def numbers(telnyx: TelnyxStandIn) -> None:
    """Give the account a number."""
    telnyx.add_number("+13035550100", id="777")


@pytest.mark.parametrize(
    ("path", "params", "status", "expected"),
    [
        pytest.param("/phone_numbers/jobs", {"page[number]": "0"}, 422, ("page/number", PAGE), id="page 0"),
        pytest.param("/phone_numbers/jobs", {"page[number]": "x"}, 422, ("page/number", PAGE), id="page x"),
        pytest.param("/phone_numbers/jobs", {"page[size]": "251"}, 422, ("page/size", PAGE), id="size 251"),
        pytest.param("/phone_numbers", {"page[size]": "0"}, 422, ("page/size", PAGE), id="size 0"),
        pytest.param("/connections", {"page[size]": "-1"}, 400, ("page/size", PAGE), id="size of connections"),
        pytest.param("/phone_numbers/jobs", {"sort": "-created_at"}, 422, ("/sort", SORT), id="job sort"),
        pytest.param("/phone_numbers", {"sort": "created_at"}, 422, ("/sort", SORT), id="number sort"),
        pytest.param("/addresses", {"sort": "size"}, 400, ("/sort", SORT), id="address sort"),
    ],
)
async def test_wrong_paging_and_sorting_are_refused(
    client: httpx.AsyncClient,
    path: str,
    params: dict[str, str],
    status: int,
    expected: tuple[str, str],
) -> None:
    """Pages begin at 1, hold 1 to 250 rows, and come in the documented orders only."""
    response = await client.get(path, params=params)

    pointer, detail = expected
    title = "Invalid sorting value" if pointer == "/sort" else "Invalid pagination"
    error = response.json()["errors"][0]
    assert response.status_code == status
    assert error == {
        "code": "10015",
        "title": title,
        "detail": detail,
        "source": {"pointer": pointer},
        "meta": {"url": "https://developers.telnyx.com/docs/overview/errors/10015"},
    }


@pytest.mark.parametrize(
    ("path", "name", "value", "status"),
    [
        ("/phone_numbers", "filter[has_bundle]", "true", 400),
        ("/phone_numbers", "tag", "vip", 400),
        ("/phone_numbers", "filter[filter][tag]", "vip", 400),
        ("/phone_numbers", "filter[status]", "live", 422),
        ("/phone_numbers", "filter[status][]", "active", 422),
        ("/phone_numbers", "filter[phone_number]", "30", 422),
        ("/phone_numbers", "filter[number_type]", "local", 422),
        ("/phone_numbers", "filter[source]", "stolen", 422),
        ("/phone_numbers", "filter[voice.connection_name][contains]", "ab", 422),
        ("/phone_numbers", "filter[voice.connection_name][like]", "abc", 422),
        ("/phone_numbers", "filter[tag]", " ", 422),
        ("/phone_numbers/slim", "filter[tag]", "vip", 422),
        ("/phone_numbers/slim", "filter[voice.connection_name][eq]", "Denver", 422),
        ("/phone_numbers/slim", "filter[status]", "port-pending", 422),
        ("/phone_numbers/voice", "filter[tag]", "vip", 400),
        ("/phone_numbers/777", "include_tags", "true", 400),
        ("/phone_numbers/jobs", "filter[type]", "bogus", 422),
        ("/phone_numbers/jobs", "filter[status]", "pending", 422),
        ("/phone_numbers/jobs", "filter[status][]", "pending,failed", 422),
        ("/phone_numbers/jobs", "filter[phone_number]", "+1303555x", 422),
        ("/phone_numbers/jobs", "filter[customer_reference]", "", 422),
        ("/phone_numbers/jobs", "filter[customer_reference]", "r" * 251, 422),
        ("/phone_numbers/jobs", "filter[customer_reference][]", "r", 422),
        ("/phone_numbers/jobs", "filter[customer_reference][eq]", "r", 422),
        ("/phone_numbers/jobs", "filter[created_at]", "2026", 400),
        ("/connections", "filter[connection_name][contains]", "ab", 422),
        ("/billing_groups", "filter[name]", "abc", 400),
        ("/addresses", "filter[street_address][contains]", "ab", 422),
        ("/user_tags", "page[size]", "5", 400),
    ],
)
async def test_a_wrong_filter_is_refused(
    client: httpx.AsyncClient,
    path: str,
    name: str,
    value: str,
    status: int,
) -> None:
    """A filter that an endpoint lacks, or a value that it forbids, is refused and named."""
    response = await client.get(path, params={name: value})

    error = response.json()["errors"][0]
    assert (status, "10031", "Invalid request filter") == (response.status_code, error["code"], error["title"])
    assert {"parameter": name} == error["source"]


async def test_an_unknown_filter_on_a_job_changes_nothing(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
) -> None:
    """A misspelt job filter does not become "all numbers"."""
    response = await client.post(
        "/phone_numbers/jobs/update_phone_numbers",
        params={"filter[tags]": "vip"},
        json={"tags": ["x"]},
    )

    assert response.status_code == 400
    assert telnyx.jobs == []


async def test_an_account_without_the_feature_may_not_filter_jobs_by_number() -> None:
    """Filtering jobs by number must be enabled for the account."""
    async with (
        TelnyxStandIn(api_key="K", phone_number_filtering=False) as telnyx,
        httpx.AsyncClient(base_url=telnyx.url, headers={"Authorization": "Bearer K"}) as client,
    ):
        response = await client.get("/phone_numbers/jobs", params={"filter[phone_number]": "+13035550100"})

    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, "10038")

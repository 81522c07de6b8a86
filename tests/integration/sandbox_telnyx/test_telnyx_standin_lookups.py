"""The lists that settings choose from."""

from __future__ import annotations

import httpx
import pytest

from bot.sandbox.telnyx import TelnyxStandIn


@pytest.fixture(autouse=True)
def choices(telnyx: TelnyxStandIn) -> None:
    """Fill the account with things to choose."""
    telnyx.add_connection("Denver PBX", id="11")
    telnyx.advance(1)
    telnyx.add_connection("boston trunk", id="12", active=False, record_type="fqdn_connection")
    telnyx.add_billing_group("West", id="b-1")
    telnyx.advance(1)
    telnyx.add_billing_group("East", id="b-2")
    telnyx.add_address("600 Congress Avenue", id="91", business_name="Acme", customer_reference="HQ Texas")
    telnyx.advance(1)
    telnyx.add_address("1 Main St", id="92")
    telnyx.add_number("+13035550100", tags=["VIP", "west"], emergency="91")
    telnyx.add_number("+13035550101", tags=["vip", "east"])


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("/connections", {}, ["12", "11"]),
        ("/connections", {"filter[connection_name][contains]": "PBX"}, ["11"]),
        ("/connections", {"filter[connection_name][contains]": "TRUNK"}, ["12"]),
        ("/connections", {"filter[fqdn]": "sip.example.com"}, []),
        ("/connections", {"filter[outbound_voice_profile_id]": "5"}, []),
        ("/connections", {"sort": "connection_name"}, ["11", "12"]),
        ("/connections", {"sort": "-active"}, ["11", "12"]),
        ("/connections", {"page[size]": "1", "page[number]": "2"}, ["11"]),
        ("/billing_groups", {}, ["b-2", "b-1"]),
        ("/billing_groups", {"page[size]": "1"}, ["b-2"]),
        ("/addresses", {}, ["92", "91"]),
        ("/addresses", {"filter[street_address][contains]": "congress"}, ["91"]),
        ("/addresses", {"filter[customer_reference]": "texas"}, ["91"]),
        ("/addresses", {"filter[customer_reference][contains]": "hq"}, ["91"]),
        ("/addresses", {"filter[customer_reference][eq]": "hq texas"}, []),
        ("/addresses", {"filter[customer_reference][eq]": "HQ Texas"}, ["91"]),
        ("/addresses", {"filter[used_as_emergency]": "true"}, ["91"]),
        ("/addresses", {"filter[used_as_emergency]": "false"}, ["92"]),
        ("/addresses", {"filter[address_book][eq]": "false"}, []),
        ("/addresses", {"sort": "street_address"}, ["92", "91"]),
        ("/addresses", {"sort": "-street_address"}, ["91", "92"]),
        ("/addresses", {"sort": "business_name"}, ["92", "91"]),
    ],
)
async def test_choices_are_listed(
    client: httpx.AsyncClient,
    path: str,
    params: dict[str, str],
    expected: list[str],
) -> None:
    """Each list filters, sorts and pages as the reference says; the newest come first."""
    response = await client.get(path, params=params)

    assert expected == [row["id"] for row in response.json()["data"]]


@pytest.mark.parametrize(("path", "size"), [("/connections", 250), ("/billing_groups", 20), ("/addresses", 20)])
async def test_default_pages_differ(client: httpx.AsyncClient, path: str, size: int) -> None:
    """Connections come 250 to a page, the others 20."""
    assert size == (await client.get(path)).json()["meta"]["page_size"]


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/connections/11", "connection_name", "Denver PBX"),
        ("/billing_groups/b-1", "name", "West"),
        ("/addresses/91", "street_address", "600 Congress Avenue"),
    ],
)
async def test_a_choice_is_read_by_its_id(client: httpx.AsyncClient, path: str, name: str, value: str) -> None:
    """A single choice is a row of its list."""
    one = (await client.get(path)).json()["data"]

    assert value == one[name]
    assert one in (await client.get(path.rpartition("/")[0])).json()["data"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [({}, ["VIP", "east", "west"]), ({"filter[starts_with]": "vi"}, ["VIP"])],
)
async def test_tags_come_in_their_first_casing(
    client: httpx.AsyncClient,
    params: dict[str, str],
    expected: list[str],
) -> None:
    """The list of tags has each tag once, as it was first written, whatever case is asked for."""
    response = await client.get("/user_tags", params=params)

    assert {"number_tags": expected, "outbound_profile_tags": []} == response.json()["data"]

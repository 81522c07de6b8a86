"""The endpoints that read numbers: rows, filters, orders, pages, ownership."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.sandbox.telnyx import TelnyxStandIn

#: httpx types its lists of parameters invariantly.
Params = list[tuple[str, str | int | float | bool | None]]
#: The fields of the documented schemas (providers/telnyx/API.md, "Sources").
SLIM_FIELDS = {
    "activated_at",
    "billing_group_id",
    "call_forwarding_enabled",
    "call_recording_enabled",
    "caller_id_name_enabled",
    "cnam_listing_enabled",
    "connection_id",
    "country_iso_alpha2",
    "created_at",
    "customer_reference",
    "emergency_address_id",
    "emergency_enabled",
    "emergency_status",
    "external_pin",
    "hd_voice_enabled",
    "id",
    "inbound_call_screening",
    "phone_number",
    "phone_number_type",
    "purchased_at",
    "record_type",
    "status",
    "t38_fax_gateway_enabled",
    "updated_at",
}
DETAILED_FIELDS = SLIM_FIELDS | {
    "connection_name",
    "deletion_lock_enabled",
    "messaging_profile_id",
    "messaging_profile_name",
    "source_type",
    "tags",
}
VOICE_FIELDS = {
    "call_forwarding",
    "call_recording",
    "cnam_listing",
    "connection_id",
    "customer_reference",
    "emergency",
    "id",
    "inbound_call_screening",
    "media_features",
    "phone_number",
    "record_type",
    "tech_prefix_enabled",
    "translated_number",
    "usage_payment_method",
}


@pytest.fixture
def town(telnyx: TelnyxStandIn) -> TelnyxStandIn:
    """Fill the account with three quite different numbers: 100, 101 and 102 at the end."""
    denver = telnyx.add_connection("Denver PBX", id="11")
    boston = telnyx.add_connection("Boston trunk", id="12")
    group = telnyx.add_billing_group("West", id="b-1")
    address = telnyx.add_address("1 Main St", id="91")
    telnyx.add_number(
        "+13035550100",
        tags=["VIP", "west"],
        connection_id=denver.id,
        billing_group_id=group.id,
        emergency=address.id,
        customer_reference="REF 1",
        external_pin="1234",
    )
    telnyx.advance(1)
    telnyx.add_number(
        "+14045550101",
        status="port-pending",
        connection_id=boston.id,
        source_type="port_request",
        voice={"usage_payment_method": "channel"},
    )
    telnyx.advance(1)
    telnyx.add_number(
        "+442075550102",
        tags=["east"],
        status="ported-out",
        country_iso_alpha2="GB",
        phone_number_type="toll_free",
    )
    return telnyx


async def tails(client: httpx.AsyncClient, path: str, params: Params) -> list[str]:
    """Return the last digit of each number that a list shows."""
    response = await client.get(path, params=params)
    assert response.status_code == 200, response.text
    return [row["phone_number"][-1] for row in response.json()["data"]]


FILTERS: list[tuple[str, Params, list[str]]] = [
    ("none", [], ["2", "1", "0"]),
    ("tag in another case", [("filter[tag]", "vip")], ["0"]),
    ("part of a tag", [("filter[tag]", "VI")], []),
    ("phone number", [("filter[phone_number]", "5550")], ["2", "1", "0"]),
    ("digits", [("filter[phone_number]", "404555")], ["1"]),
    ("phone number with plus", [("filter[phone_number]", "+1404555")], []),
    ("status", [("filter[status]", "port-pending")], ["1"]),
    ("country", [("filter[country_iso_alpha2]", "GB")], ["2"]),
    ("countries", [("filter[country_iso_alpha2][]", "GB"), ("filter[country_iso_alpha2][]", "CA")], ["2"]),
    ("connection", [("filter[connection_id]", "12")], ["1"]),
    ("connection name", [("filter[voice.connection_name][eq]", "Denver PBX")], ["0"]),
    ("connection name in another case", [("filter[voice.connection_name][eq]", "denver pbx")], []),
    ("name contains", [("filter[voice.connection_name][contains]", "ver p")], ["0"]),
    ("name starts", [("filter[voice.connection_name][starts_with]", "bos")], ["1"]),
    ("name ends", [("filter[voice.connection_name][ends_with]", "trunk")], ["1"]),
    ("payment", [("filter[voice.usage_payment_method]", "channel")], ["1"]),
    ("billing group", [("filter[billing_group_id]", "b-1")], ["0"]),
    ("no billing group", [("filter[billing_group_id]", "null")], ["2", "1"]),
    ("emergency address", [("filter[emergency_address_id]", "91")], ["0"]),
    ("no emergency address", [("filter[emergency_address_id]", "null")], ["2", "1"]),
    ("reference", [("filter[customer_reference]", "REF 1")], ["0"]),
    ("number type", [("filter[number_type][eq]", "toll_free")], ["2"]),
    ("ported", [("filter[source]", "ported")], ["1"]),
    ("purchased", [("filter[source]", "purchased")], ["2", "0"]),
    ("without tags", [("filter[without_tags]", "true")], ["1"]),
    ("without tags, not meant", [("filter[without_tags]", "false")], ["2", "1", "0"]),
    ("two filters", [("filter[phone_number]", "555"), ("filter[tag]", "east")], ["2"]),
    ("by number", [("sort", "phone_number")], ["0", "1", "2"]),
    ("by purchase", [("sort", "purchased_at")], ["0", "1", "2"]),
    ("by connection", [("sort", "connection_name")], ["2", "1", "0"]),
    ("by payment", [("sort", "usage_payment_method")], ["1", "0", "2"]),
    ("messaging flag", [("handle_messaging_profile_error", "true")], ["2", "1", "0"]),
]


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("params", "expected"),
    [pytest.param(params, expected, id=name) for name, params, expected in FILTERS],
)
async def test_numbers_are_filtered_and_sorted(
    client: httpx.AsyncClient,
    params: Params,
    expected: list[str],
) -> None:
    """Each documented filter and order of the number list has its effect; the newest come first."""
    assert expected == await tails(client, "/phone_numbers", params)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("/phone_numbers/slim", [("include_tags", "true"), ("filter[tag]", "vip")], ["0"]),
        (
            "/phone_numbers/slim",
            [("include_connection", "true"), ("filter[voice.connection_name][contains]", "denver")],
            ["0"],
        ),
        ("/phone_numbers/slim", [("filter[status]", "port_pending")], ["1"]),
        ("/phone_numbers/slim", [("filter[country_iso_alpha2]", "GB")], ["2"]),
        ("/phone_numbers/voice", [("filter[connection_name][contains]", "denver")], ["0"]),
        ("/phone_numbers/voice", [("filter[customer_reference]", "REF 1")], ["0"]),
        ("/phone_numbers/voice", [("filter[voice.usage_payment_method]", "channel")], ["1"]),
        ("/phone_numbers/voice", [("filter[phone_number]", "2075")], ["2"]),
    ],
)
async def test_slim_and_voice_lists_have_filters_of_their_own(
    client: httpx.AsyncClient,
    path: str,
    params: Params,
    expected: list[str],
) -> None:
    """The lighter lists filter as documented, with the parameters that some filters need."""
    assert expected == await tails(client, path, params)


@pytest.mark.usefixtures("town")
async def test_rows_are_complete(client: httpx.AsyncClient) -> None:
    """Every field of the documented schemas is in every row, the PIN in clear."""
    detailed = (await client.get("/phone_numbers")).json()["data"]
    slim = (await client.get("/phone_numbers/slim")).json()["data"]
    voice = (await client.get("/phone_numbers/voice")).json()["data"]

    assert [set(row) for row in detailed] == [DETAILED_FIELDS] * 3
    assert [set(row) for row in slim] == [SLIM_FIELDS] * 3
    assert [set(row) for row in voice] == [VOICE_FIELDS] * 3
    assert "1234" == detailed[2]["external_pin"] == slim[2]["external_pin"]
    assert {"phone_number", "phone_number_slim", "voice_settings"} == {
        rows[0]["record_type"] for rows in (detailed, slim, voice)
    }


@pytest.mark.usefixtures("town")
async def test_the_voice_row_has_whole_nested_objects(client: httpx.AsyncClient) -> None:
    """A number that was never touched shows the defaults of the schema, and its emergency settings."""
    row = (await client.get("/phone_numbers/voice", params={"sort": "phone_number"})).json()["data"][0]

    assert {name: value for name, value in row.items() if isinstance(value, dict)} == {
        "emergency": {"emergency_enabled": True, "emergency_address_id": "91", "emergency_status": "active"},
        "call_forwarding": {"call_forwarding_enabled": True, "forwards_to": "", "forwarding_type": None},
        "cnam_listing": {"cnam_listing_enabled": False, "cnam_listing_details": ""},
        "media_features": {
            "rtp_auto_adjust_enabled": True,
            "accept_any_rtp_packets_enabled": False,
            "t38_fax_gateway_enabled": False,
        },
        "call_recording": {
            "inbound_call_recording_enabled": False,
            "inbound_call_recording_format": "wav",
            "inbound_call_recording_channels": "single",
        },
    }


@pytest.mark.usefixtures("town")
async def test_slim_rows_carry_more_on_request(client: httpx.AsyncClient) -> None:
    """The two include parameters add what they name."""
    params = {"include_tags": "true", "include_connection": "true", "sort": "phone_number"}
    row = (await client.get("/phone_numbers/slim", params=params)).json()["data"][0]

    assert (row["tags"], row["connection_name"]) == (["VIP", "west"], "Denver PBX")


async def test_one_number_is_read_by_its_id(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """The single number is the row of the list."""
    number = telnyx.add_number("+13035550100", tags=["x"])

    one = (await client.get(f"/phone_numbers/{number.id}")).json()["data"]
    voice = (await client.get(f"/phone_numbers/{number.id}/voice")).json()["data"]

    assert (await client.get("/phone_numbers")).json()["data"] == [one]
    assert (await client.get("/phone_numbers/voice")).json()["data"] == [voice]


async def test_pages_cover_everything_once(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """Pages of 250 hold every number once; the default page has 20; a page past the end is empty."""
    telnyx.add_numbers(600, start="+13035550000")

    seen: list[str] = []
    for page in (1, 2, 3, 4):
        params = {"page[number]": str(page), "page[size]": "250"}
        response = await client.get("/phone_numbers", params=params)
        seen += [row["id"] for row in response.json()["data"]]
        assert {
            "total_pages": 3,
            "total_results": 600,
            "page_number": page,
            "page_size": 250,
        } == response.json()["meta"]
    first: dict[str, Any] = (await client.get("/phone_numbers")).json()

    assert list(reversed(telnyx.numbers)) == seen
    assert (len(first["data"]), first["meta"]["total_pages"]) == (20, 30)


@pytest.mark.usefixtures("town")
async def test_ownership_is_of_editable_numbers(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """Active and porting numbers are found with their ids; others and foreign ones are not."""
    asked = ["+14045550101", "+13035550100", "+442075550102", "+19995550100", "+13035550100"]

    response = await client.post("/phone_numbers/actions/verify_ownership", json={"phone_numbers": asked})

    assert {
        "record_type": "number_ownership_verification",
        "found": [
            {"id": telnyx.number(asked[0]).id, "number_val_e164": asked[0]},
            {"id": telnyx.number(asked[1]).id, "number_val_e164": asked[1]},
        ],
        "not_found": ["+442075550102", "+19995550100"],
    } == response.json()["data"]


async def test_ids_are_int64_in_text(telnyx: TelnyxStandIn) -> None:
    """Ids are decimal texts that fit 64 bits but not the 53 of a float."""
    for number in telnyx.add_numbers(3, start="+13035550100"):
        assert 2**53 < int(number.id) < 2**63


@pytest.mark.parametrize(
    "given",
    [
        {"phone_number": "3035550100"},
        {"phone_number": "+13035550100", "connection_id": "nowhere"},
        {"phone_number": "+13035550100", "emergency": "nowhere"},
        {"phone_number": "+13035550100", "status": "lost"},
        {"phone_number": "+13035550100", "voice": {"volume": 11}},
    ],
)
async def test_an_impossible_number_is_not_added(telnyx: TelnyxStandIn, given: dict[str, Any]) -> None:
    """A test that describes a number wrongly hears of it at once."""
    with pytest.raises(ValueError, match=r".+"):
        telnyx.add_number(**given)

    assert telnyx.numbers == {}


async def test_a_number_is_added_once(telnyx: TelnyxStandIn) -> None:
    """The same number cannot be added twice."""
    telnyx.add_number("+13035550100")

    with pytest.raises(ValueError, match="already has"):
        telnyx.add_number("+13035550100")


async def test_one_number_is_changed_at_once(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """A PATCH takes effect before its answer, takes only what it is documented to take, and knows its numbers."""
    number = telnyx.add_number("+14045550000", customer_reference="old")

    changed = await client.patch(f"/phone_numbers/{number.id}", json={"customer_reference": "new"})
    refused = await client.patch(f"/phone_numbers/{number.id}", json={"deletion_lock_enabled": True})
    unknown = await client.patch("/phone_numbers/1", json={"customer_reference": "new"})

    assert (changed.status_code, changed.json()["data"]["customer_reference"]) == (200, "new")
    assert (telnyx.numbers[number.id].customer_reference, refused.status_code, unknown.status_code) == ("new", 422, 404)

"""The endpoints that read numbers: rows, fields, filters, pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.sandbox.close import Caps, CloseStandIn, Group, Number, User

#: httpx types its lists of parameters invariantly.
Params = list[tuple[str, str | int | float | bool | None]]
#: What the documented schema requires (providers/close/API.md, "Fields of a number").
REQUIRED = {
    "address_id",
    "bundle_id",
    "carrier",
    "carrier_type",
    "country",
    "date_created",
    "date_updated",
    "id",
    "is_group_number",
    "is_premium",
    "is_verified",
    "label",
    "last_billed_price",
    "mms_enabled",
    "next_billing_on",
    "number",
    "number_formatted",
    "organization_id",
    "sms_enabled",
    "supports_mms_to_countries",
    "supports_sms_to_countries",
    "type",
    "user_id",
}
#: What it has besides.
OPTIONAL = {
    "forward_to",
    "forward_to_enabled",
    "forward_to_formatted",
    "inbound_ring_duration",
    "participant_groups",
    "participants",
    "phone_numbers",
    "phone_numbers_formatted",
    "press_1_to_accept",
    "voicemail_greeting_url",
    "was_ported",
}


async def tails(client: httpx.AsyncClient, params: Params) -> list[str]:
    """Return the last digit of each number that the list shows."""
    response = await client.get("/phone_number/", params=params)
    assert response.status_code == 200, response.text
    return [row["number"][-1] for row in response.json()["data"]]


@pytest.fixture
def town(close: CloseStandIn, ana: User, ben: User, sales: Group) -> CloseStandIn:
    """Fill the organization with four numbers, 0 to 3 at the end, the last being the newest."""
    close.add_number("+13035550100", participants=[ana.id])
    close.advance(1)
    close.add_number("+13035550101", owner=ana.id)
    close.advance(1)
    close.add_number("+13035550102", participants=[ana.id, ben.id])
    close.advance(1)
    close.add_number("+13035550103", participant_groups=[sales.id])
    return close


async def test_the_list_shows_every_documented_field(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """A list has two fields, and its rows have all that the schema names, with null and empty lists kept apart."""
    number = close.add_number("+13035550100", label="Front desk", phone_numbers=["+16508889898"])

    answer = (await client.get("/phone_number/")).json()

    assert answer.keys() == {"data", "has_more"}
    [row] = answer["data"]
    assert row.keys() == REQUIRED | OPTIONAL
    assert {
        "id": number.id,
        "number": "+13035550100",
        "number_formatted": "+1 303-555-0100",
        "label": "Front desk",
        "date_created": "2026-11-20T09:00:00.000000+00:00",
        "forward_to": None,
        "forward_to_enabled": False,
        "inbound_ring_duration": None,
        "participants": [],
        "participant_groups": [],
        "phone_numbers": ["+16508889898"],
        "phone_numbers_formatted": ["+1 650-888-9898"],
        "is_group_number": True,
        "user_id": None,
        "voicemail_greeting_url": None,
    }.items() <= row.items()
    assert number.id.startswith("phon_")


async def test_a_single_group_number_is_whole(client: httpx.AsyncClient, desk: Number) -> None:
    """One group number by its id is the row of the list."""
    [listed] = (await client.get("/phone_number/")).json()["data"]

    assert listed == (await client.get(f"/phone_number/{desk.id}/")).json()


async def test_a_single_personal_number_leaves_fields_out(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    ana: User,
) -> None:
    """One personal number by its id lacks what Close's own example lacks; absent is neither null nor empty."""
    number = close.add_number("+13035550100", owner=ana.id)

    row = (await client.get(f"/phone_number/{number.id}/")).json()
    [listed] = (await client.get("/phone_number/")).json()["data"]

    assert {
        "participants",
        "participant_groups",
        "phone_numbers",
        "phone_numbers_formatted",
        "was_ported",
    } == listed.keys() - row.keys()
    assert (row["user_id"], row["is_group_number"]) == (ana.id, False)


async def test_any_optional_field_can_be_absent(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """A number can come without fields, with a null label, and with fields that no documentation has."""
    number = close.add_number(
        "+13035550100",
        label=None,
        absent={"inbound_ring_duration", "voicemail_greeting_url"},
        undocumented={"e911": {"ok": True}},
    )

    row = (await client.get(f"/phone_number/{number.id}/")).json()

    assert {"inbound_ring_duration", "voicemail_greeting_url"}.isdisjoint(row)
    assert (row["label"], row["e911"]) == (None, {"ok": True})


async def test_users_come_back_in_an_order_of_their_own(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    ana: User,
    ben: User,
) -> None:
    """Whoever compares lists by position is caught: members come back sorted, not as they were given."""
    number = close.add_number("+13035550100", participants=[ben.id, ana.id])

    row = (await client.get(f"/phone_number/{number.id}/")).json()

    assert [ana.id, ben.id] == row["participants"]


@pytest.mark.usefixtures("town")
async def test_the_sole_member_is_the_user(client: httpx.AsyncClient) -> None:
    """``user_id`` is the only user on a number, and null when there are more, or groups."""
    rows = (await client.get("/phone_number/")).json()["data"]

    assert {row["number"][-1]: row["user_id"] for row in rows} == {
        "0": "user_ana",
        "1": "user_ana",
        "2": None,
        "3": None,
    }


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param([], ["3", "2", "1", "0"], id="none"),
        pytest.param([("number", "+13035550102")], ["2"], id="number"),
        pytest.param([("number", "3035550102")], [], id="number in another form"),
        pytest.param([("user_id", "user_ana")], ["1", "0"], id="user"),
        pytest.param([("is_group_number", "true")], ["3", "2", "0"], id="group numbers"),
        pytest.param([("is_group_number", "false")], ["1"], id="personal numbers"),
        pytest.param([("participant_user_id", "user_ana")], ["2", "1", "0"], id="participant"),
        pytest.param([("participant_user_id", "user_ben")], ["3", "2"], id="participant through a group"),
        pytest.param([("participant_user_id", "user_x")], [], id="stranger"),
        pytest.param([("participant_user_id", "user_ana"), ("is_group_number", "true")], ["2", "0"], id="both"),
    ],
)
@pytest.mark.usefixtures("town")
async def test_a_filter_selects(
    client: httpx.AsyncClient,
    params: Params,
    expected: list[str],
) -> None:
    """Each documented filter selects what it says, newest first, and several narrow each other."""
    assert expected == await tails(client, params)


async def test_a_filter_can_be_overlooked(town: CloseStandIn, client: httpx.AsyncClient) -> None:
    """A list can be made to overlook a filter and show everything, so that a client must look at the rows."""
    town.ignored_filters.add("number")

    assert await tails(client, [("number", "+13035550102")]) == ["3", "2", "1", "0"]


async def test_pages_follow_each_other(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """``_skip`` and ``_limit`` cut the list without gaps, ``has_more`` ends it, and 100 is the usual page."""
    close.add_numbers(205, start="+13035550000")
    seen: list[str] = []
    sizes: list[int] = []
    more = True
    while more:
        answer = (await client.get("/phone_number/", params={"_skip": len(seen)})).json()
        seen += [row["id"] for row in answer["data"]]
        sizes.append(len(answer["data"]))
        more = answer["has_more"]

    assert sizes == [100, 100, 5]
    assert list(reversed(close.numbers)) == seen
    last = (await client.get("/phone_number/", params={"_skip": 200, "_limit": 5})).json()
    assert (len(last["data"]), last["has_more"]) == (5, False)
    beyond = (await client.get("/phone_number/", params={"_skip": 300})).json()
    assert beyond == {"data": [], "has_more": False}


async def test_a_number_that_comes_in_between_shifts_the_pages(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """Offsets count from the newest: with a new number, the next page repeats the last one of the page before."""
    close.add_numbers(4, start="+13035550100")
    before = await tails(client, [("_limit", "2")])
    close.advance(1)
    close.add_number("+13035550109")
    after = await tails(client, [("_limit", "2"), ("_skip", "2")])

    assert (before, after) == (["3", "2"], ["2", "1"])


async def test_fields_can_be_chosen(client: httpx.AsyncClient, desk: Number) -> None:
    """``_fields`` returns those fields and no others, in the list and by itself."""
    params = {"_fields": "id,label"}

    expected = {"id": desk.id, "label": "Front desk"}
    assert [expected] == (await client.get("/phone_number/", params=params)).json()["data"]
    assert expected == (await client.get(f"/phone_number/{desk.id}/", params=params)).json()


@pytest.mark.parametrize(
    ("path", "params", "errors"),
    [
        pytest.param(
            "/phone_number/",
            [("label", "x"), ("q", "y")],
            {"label": "Extra inputs are not permitted", "q": "Extra inputs are not permitted"},
            id="unknown",
        ),
        pytest.param(
            "/phone_number/",
            [("_limit", "101")],
            {"_limit": "Input should be less than or equal to 100"},
            id="limit",
        ),
        pytest.param(
            "/phone_number/",
            [("_limit", "0"), ("_skip", "-1")],
            {
                "_limit": "Input should be greater than or equal to 1",
                "_skip": "Input should be greater than or equal to 0",
            },
            id="too small",
        ),
        pytest.param(
            "/phone_number/",
            [("_skip", "35001")],
            {"_skip": "Input should be less than or equal to 35000"},
            id="skip",
        ),
        pytest.param(
            "/phone_number/",
            [("_limit", "many")],
            {"_limit": "Input should be a valid integer, unable to parse string as an integer"},
            id="no number",
        ),
        pytest.param(
            "/phone_number/",
            [("is_group_number", "yes")],
            {"is_group_number": "Input should be 'true' or 'false'"},
            id="no boolean",
        ),
        pytest.param(
            "/phone_number/", [("number", "")], {"number": "The parameter must not be blank."}, id="blank filter"
        ),
        pytest.param(
            "/phone_number/",
            [("number", "+13035550100"), ("number", "+13035550101")],
            {"number": "The parameter must be given once."},
            id="twice",
        ),
        pytest.param("/phone_number/", [("_fields", "id,digits")], {"_fields": "Unknown field: 'digits'"}, id="field"),
        pytest.param(
            "/phone_number/{id}/",
            [("number", "+13035550100")],
            {"number": "Extra inputs are not permitted"},
            id="filter on one",
        ),
        pytest.param(
            "/user/", [("_fields", "id")], {"_fields": "Extra inputs are not permitted"}, id="fields of users"
        ),
        pytest.param("/group/", [("_limit", "5")], {"_limit": "Extra inputs are not permitted"}, id="page of groups"),
        pytest.param(
            "/group/", [("_fields", "name,members")], {"_fields": "Unknown field: 'members'"}, id="members of groups"
        ),
    ],
)
async def test_an_unacceptable_query_is_refused(
    client: httpx.AsyncClient,
    desk: Number,
    path: str,
    params: Params,
    errors: dict[str, Any],
) -> None:
    """Nothing in a query is overlooked or guessed at: 400 names every parameter that is wrong."""
    response = await client.get(path.format(id=desk.id), params=params)

    assert (400, {"errors": [], "field-errors": errors}) == (response.status_code, response.json())


async def test_other_caps_can_be_set() -> None:
    """The largest page and the last offset are the test's to choose, as Close does not publish them."""
    async with (
        CloseStandIn(api_key="k", caps=Caps(limit=2, skip=3)) as close,
        httpx.AsyncClient(base_url=close.url, auth=("k", "")) as client,
    ):
        close.add_numbers(6, start="+13035550100")

        assert await tails(client, []) == ["5", "4"]
        assert await tails(client, [("_skip", "3")]) == ["2", "1"]
        statuses = [(await client.get(f"/phone_number/?{query}")).status_code for query in ("_skip=4", "_limit=3")]
        assert statuses == [400, 400]


@pytest.mark.parametrize("path", ["/phone_number/phon_x/", "/user/user_x/", "/group/group_x/", "/nothing/"])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    """An unknown id or address gets 404 with a plain error."""
    response = await client.get(path)

    assert (response.status_code, response.json()) == (404, {"error": "Not Found"})


async def test_an_address_ends_with_a_slash(client: httpx.AsyncClient, desk: Number) -> None:
    """Close's addresses end with a slash; without it they are nobody's, as is an E.164 text in place of an id."""
    paths = ("/phone_number", f"/phone_number/{desk.id}", "/phone_number/+13035550100/", "/me")

    assert [(await client.get(path)).status_code for path in paths] == [404] * 4


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/phone_number/{id}/"), ("POST", "/phone_number/")])
async def test_other_methods_are_not_supported(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    desk: Number,
    method: str,
    path: str,
) -> None:
    """Nothing can be deleted or made here."""
    response = await client.request(method, path.format(id=desk.id))

    assert (response.status_code, response.json()) == (405, {"error": "Method Not Allowed"})
    assert list(close.numbers) == [desk.id]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param({"number": "3035550100"}, "not an E.164 number", id="form"),
        pytest.param({"number": "+13035550100"}, "already has", id="twice"),
        pytest.param({"participants": ["user_x"]}, "does not know 'user_x'", id="user"),
        pytest.param({"participant_groups": ["group_x"]}, "does not know 'group_x'", id="group"),
        pytest.param({"inbound_ring_duration": 5}, "inbound_ring_duration", id="ring"),
        pytest.param({"owner": "user_ana", "participants": ["user_ana"]}, "personal number", id="personal"),
        pytest.param({"type": "landline"}, "type", id="type"),
        pytest.param({"absent": {"number"}}, "cannot be left out", id="required field"),
    ],
)
async def test_a_number_that_cannot_be_is_a_mistake_in_the_test(
    close: CloseStandIn,
    desk: Number,
    given: dict[str, Any],
    why: str,
) -> None:
    """What Close could not hold is refused where it is written down."""
    with pytest.raises(ValueError, match=why):
        close.add_number(**{"number": "+13035550199", **given})

    assert list(close.numbers) == [desk.id]


async def test_numbers_share_no_lists(close: CloseStandIn, ana: User, ben: User) -> None:
    """Numbers that were added with the same fields can be changed one by one."""
    first, second = close.add_numbers(2, start="+13035550100", participants=[ana.id], absent={"was_ported"})

    first.participants.append(ben.id)
    first.absent.clear()

    assert ([ana.id], {"was_ported"}) == (second.participants, second.absent)


async def test_dates_are_those_of_the_clock(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """A number can be older than the test; dates carry microseconds and an offset."""
    close.add_number("+13035550100", date_created=datetime(2016, 7, 18, 22, 54, 24, 787000, tzinfo=UTC))

    [row] = (await client.get("/phone_number/")).json()["data"]

    assert row["date_created"] == row["date_updated"] == "2016-07-18T22:54:24.787000+00:00"

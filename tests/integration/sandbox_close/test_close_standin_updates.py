"""What an update does, and every reason for which it is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from bot.sandbox.close import CloseStandIn, Group, Number, User

Put = Callable[[str, Any], Awaitable[httpx.Response]]

DESK = "+13035550100"
PERMISSION = "Manage Team Phone Numbers"


def field_errors(response: httpx.Response) -> Any:
    """Return the field errors of a refusal that has nothing else to say."""
    body = response.json()
    assert (400, {"errors", "field-errors"}, []) == (response.status_code, body.keys(), body["errors"])
    return body["field-errors"]


async def test_an_update_sets_what_it_names_and_nothing_else(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    put: Put,
    desk: Number,
) -> None:
    """A PUT is a patch: it answers the whole number as it is now, and every other field keeps its value."""
    before = close.truth()[DESK]
    close.advance(60)

    response = await put(DESK, {"label": "Night line", "inbound_ring_duration": 45})

    assert response.status_code == 200
    assert response.json() == (await client.get(f"/phone_number/{desk.id}/")).json()
    assert close.truth()[DESK] == before | {"label": "Night line", "inbound_ring_duration": 45}
    assert response.json()["date_updated"] == "2026-11-20T09:01:00.000000+00:00"


async def test_every_setting_can_be_set(
    close: CloseStandIn,
    put: Put,
    desk: Number,
    ben: User,
    sales: Group,
) -> None:
    """All nine settings of a group number are taken at once, and the formatted twins follow."""
    before = close.truth()[desk.number]
    settings = {
        "forward_to": "+16502221111",
        "forward_to_enabled": True,
        "inbound_ring_duration": 90,
        "label": "",
        "participant_groups": [sales.id],
        "participants": [ben.id],
        "phone_numbers": ["+16508889898", "+442075550102"],
        "press_1_to_accept": True,
        "voicemail_greeting_url": "https://example.com/hello.mp3?signed=1",
    }

    row = (await put(DESK, settings)).json()

    formatted = {
        "forward_to_formatted": "+1 650-222-1111",
        "phone_numbers_formatted": ["+1 650-888-9898", "+44 20 7555 0102"],
    }
    # Two members, one of them through the group, are not a sole member any more.
    expected = before | settings | formatted | {"user_id": None}
    assert close.truth()[DESK] == expected
    assert settings.items() <= row.items()


@pytest.mark.parametrize("seconds", [15, 90])
async def test_the_ring_duration_has_two_ends(put: Put, desk: Number, seconds: int) -> None:
    """The shortest and the longest documented duration are taken."""
    assert (await put(DESK, {"inbound_ring_duration": seconds})).json()["inbound_ring_duration"] == seconds
    assert desk.inbound_ring_duration == seconds


async def test_lists_are_replaced_whole(close: CloseStandIn, put: Put, desk: Number, ben: User) -> None:
    """A list is what the update says, without repetitions; left out it stays, and empty it is emptied."""
    replaced = (await put(DESK, {"participants": [ben.id, ben.id]})).json()
    untouched = (await put(DESK, {"label": "x"})).json()
    emptied = (await put(DESK, {"participants": []})).json()

    assert [[ben.id], [ben.id], []] == [row["participants"] for row in (replaced, untouched, emptied)]
    assert desk.participants == []
    assert [dict(update.settings) for update in close.updates] == [
        {"participants": [ben.id, ben.id]},
        {"label": "x"},
        {"participants": []},
    ]


async def test_only_the_greeting_can_be_cleared_by_null(close: CloseStandIn, put: Put, desk: Number) -> None:
    """Null takes the greeting away, and is refused for every other setting."""
    desk.voicemail_greeting_url = "https://example.com/hello.mp3"
    others = {
        "forward_to": "Input should be a valid string",
        "forward_to_enabled": "Input should be a valid boolean",
        "inbound_ring_duration": "Input should be a valid integer",
        "label": "Input should be a valid string",
        "participant_groups": "Input should be a valid list",
        "participants": "Input should be a valid list",
        "phone_numbers": "Input should be a valid list",
        "press_1_to_accept": "Input should be a valid boolean",
    }

    refused = await put(DESK, {**dict.fromkeys(others), "voicemail_greeting_url": None})
    kept = desk.voicemail_greeting_url
    cleared = await put(DESK, {"voicemail_greeting_url": None})

    assert field_errors(refused) == others
    assert kept == "https://example.com/hello.mp3"
    assert (cleared.status_code, close.number(DESK).voicemail_greeting_url) == (200, None)


async def test_an_empty_update_changes_nothing(close: CloseStandIn, put: Put, desk: Number) -> None:
    """An update without a setting is fine and leaves even the date alone."""
    before = desk.date_updated
    close.advance(60)

    assert (await put(DESK, {})).status_code == 200
    assert desk.date_updated == before


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        pytest.param({"number": "+13035550199"}, {"number": "Extra inputs are not permitted"}, id="the number itself"),
        pytest.param({"colour": 1, "label": "x"}, {"colour": "Extra inputs are not permitted"}, id="unknown"),
        pytest.param({"is_group_number": True}, {"is_group_number": "Extra inputs are not permitted"}, id="read-only"),
        pytest.param(
            {"inbound_ring_duration": 14},
            {"inbound_ring_duration": "Input should be greater than or equal to 15"},
            id="14 seconds",
        ),
        pytest.param(
            {"inbound_ring_duration": 91},
            {"inbound_ring_duration": "Input should be less than or equal to 90"},
            id="91 seconds",
        ),
        pytest.param(
            {"inbound_ring_duration": True}, {"inbound_ring_duration": "Input should be a valid integer"}, id="true"
        ),
        pytest.param(
            {"inbound_ring_duration": "45"}, {"inbound_ring_duration": "Input should be a valid integer"}, id="text"
        ),
        pytest.param(
            {"inbound_ring_duration": 45.0}, {"inbound_ring_duration": "Input should be a valid integer"}, id="45.0"
        ),
        pytest.param({"press_1_to_accept": 1}, {"press_1_to_accept": "Input should be a valid boolean"}, id="one"),
        pytest.param(
            {"forward_to_enabled": "true"}, {"forward_to_enabled": "Input should be a valid boolean"}, id="text true"
        ),
        pytest.param({"label": 5}, {"label": "Input should be a valid string"}, id="label"),
        pytest.param({"forward_to": ""}, {"forward_to": "Invalid phone number."}, id="forward to nothing"),
        pytest.param({"forward_to": "303-555-0100"}, {"forward_to": "Invalid phone number."}, id="national"),
        pytest.param({"forward_to_enabled": True}, {"forward_to": "This field is required."}, id="forward to nowhere"),
        pytest.param({"participants": "user_ben"}, {"participants": "Input should be a valid list"}, id="one user"),
        pytest.param(
            {"participants": ["user_ben", 7]}, {"participants": {"1": "Input should be a valid string"}}, id="item"
        ),
        pytest.param(
            {"participants": ["user_ben", "user_x"]},
            {"participants": "user_x is not a user of your organization."},
            id="strange user",
        ),
        pytest.param(
            {"participant_groups": ["group_x"]},
            {"participant_groups": "group_x is not a Group of your organization."},
            id="strange group",
        ),
        pytest.param(
            {"phone_numbers": ["+16508889898", "650-888"]},
            {"phone_numbers": {"1": "Invalid phone number."}},
            id="strange number",
        ),
        pytest.param(
            {"voicemail_greeting_url": "http://example.com/hello.mp3"},
            {"voicemail_greeting_url": "The URL must be secure (starting with https://)."},
            id="not secure",
        ),
        pytest.param(
            {"voicemail_greeting_url": "https://"},
            {"voicemail_greeting_url": "The URL must be secure (starting with https://)."},
            id="no host",
        ),
        pytest.param(
            {"voicemail_greeting_url": 1}, {"voicemail_greeting_url": "Input should be a valid string"}, id="no text"
        ),
        pytest.param(
            {"press_1_to_accept": "yes", "inbound_ring_duration": 5, "e911": {}},
            {
                "press_1_to_accept": "Input should be a valid boolean",
                "inbound_ring_duration": "Input should be greater than or equal to 15",
                "e911": "Extra inputs are not permitted",
            },
            id="several",
        ),
    ],
)
@pytest.mark.usefixtures("desk", "ben")
async def test_an_unacceptable_setting_is_refused(
    close: CloseStandIn,
    put: Put,
    body: dict[str, Any],
    errors: dict[str, Any],
) -> None:
    """One wrong setting refuses the whole update, with a field error for each that is wrong."""
    before = close.truth()

    assert field_errors(await put(DESK, {"label": "new", **body})) == errors
    assert close.truth() == before
    assert close.updates == []


async def test_at_most_forty_groups_are_on_a_number(close: CloseStandIn, put: Put, desk: Number) -> None:
    """Forty groups are taken and one more is refused; the same one again does not count."""
    ids = [close.add_group(f"Team {each}").id for each in range(41)]

    most = await put(DESK, {"participant_groups": [*ids[:40], ids[0]]})
    more = await put(DESK, {"participant_groups": ids})

    assert (most.status_code, len(desk.participant_groups)) == (200, 40)
    assert field_errors(more) == {"participant_groups": "List should have at most 40 items, not 41"}


@pytest.mark.parametrize("setting", ["participants", "participant_groups", "phone_numbers"])
async def test_members_belong_to_group_numbers(close: CloseStandIn, put: Put, setting: str) -> None:
    """A personal number takes no members, groups or further numbers, not even none."""
    close.add_number(DESK, owner=close.me.id)

    assert field_errors(await put(DESK, {setting: []})) == {setting: "Only group numbers have this setting."}


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        pytest.param("json", b"{", (400, {"error": "The request contains invalid JSON."}), id="no JSON"),
        pytest.param("json", b"", (400, {"error": "The request contains invalid JSON."}), id="nothing"),
        pytest.param(
            "json",
            b'["label"]',
            (400, {"errors": ["The request body must be an object."], "field-errors": {}}),
            id="no object",
        ),
        pytest.param("x-www-form-urlencoded", b"label=x", (415, {"error": "Unsupported Media Type"}), id="a form"),
    ],
)
async def test_an_update_is_a_json_object(
    client: httpx.AsyncClient,
    desk: Number,
    kind: str,
    content: bytes,
    expected: tuple[int, dict[str, Any]],
) -> None:
    """Another format, broken JSON and JSON that is no object are three refusals."""
    headers = {"Content-Type": f"application/{kind}"}

    response = await client.put(f"/phone_number/{desk.id}/", headers=headers, content=content)

    assert expected == (response.status_code, response.json())
    assert desk.label == "Front desk"


async def test_an_update_takes_no_parameters(client: httpx.AsyncClient, desk: Number) -> None:
    """The update has no query; ``_fields`` is not documented for it."""
    response = await client.put(f"/phone_number/{desk.id}/", params={"_fields": "id"}, json={"label": "x"})

    assert field_errors(response) == {"_fields": "Extra inputs are not permitted"}
    assert desk.label == "Front desk"


async def test_nobody_updates_somebody_elses_personal_number(close: CloseStandIn, put: Put, ana: User) -> None:
    """Whatever the permissions, a personal number is updated by its user only."""
    close.add_number(DESK, owner=ana.id, label="Ana")
    close.add_number("+13035550101", owner=close.me.id, label="Me")

    theirs = await put(DESK, {"label": "x"})
    mine = await put("+13035550101", {"label": "x", "inbound_ring_duration": 20})

    assert (theirs.status_code, theirs.json()) == (403, {"error": "You can only update your own personal numbers."})
    assert (mine.status_code, close.number(DESK).label) == (200, "Ana")


async def test_group_numbers_need_the_permission(close: CloseStandIn, put: Put, desk: Number) -> None:
    """Without the permission a group number is refused, and the refusal names the permission of the day."""
    close.permit(manage=False)
    first = await put(DESK, {"label": "x"})
    close.permit(manage=False, permission="Manage Group Phone Numbers")
    second = await put(DESK, {"label": "x"})
    close.permit(manage=True)
    third = await put(DESK, {"label": "x"})

    assert [answer.status_code for answer in (first, second, third)] == [403, 403, 200]
    assert first.json() == {"error": f'You need the "{PERMISSION}" permission to update this phone number.'}
    assert "Manage Group Phone Numbers" in second.json()["error"]
    assert desk.label == "x"


@pytest.mark.parametrize("personal", [True, False], ids=["personal", "sole member"])
async def test_the_only_user_on_a_number_may_change_some_settings(
    close: CloseStandIn,
    put: Put,
    personal: bool,  # noqa: FBT001 - a parametrised argument
) -> None:
    """Without the permission the only user changes label, greeting and forwarding, and nothing else."""
    me = close.me.id
    close.add_number(DESK, **({"owner": me} if personal else {"participants": [me]}))
    close.permit(manage=False)
    allowed = {
        "label": "Mine",
        "voicemail_greeting_url": None,
        "forward_to": "+16502221111",
        "forward_to_enabled": True,
    }

    assert (await put(DESK, allowed)).status_code == 200
    for more in ({"inbound_ring_duration": 20}, {"press_1_to_accept": True}, {**allowed, "participants": [me]}):
        assert (await put(DESK, more)).status_code == 403
    assert close.number(DESK).inbound_ring_duration is None


async def test_an_update_can_be_refused_on_chosen_numbers(close: CloseStandIn, put: Put, desk: Number) -> None:
    """A test orders field errors, nested ones, general errors and other refusals, number by number and in order."""
    other = close.add_number("+13035550101")
    close.fail(DESK, field="forward_to", text="Carrier says no.", times=1)
    close.fail(desk.id, field="phone_numbers.0", text="Not reachable.", times=1)
    close.fail(DESK, text="Not today.", times=1)
    close.fail(DESK, status=402, text="Your plan has no forwarding.", times=1)

    answers = [await put(DESK, {"label": "x"}) for _ in range(5)]
    elsewhere = await put(other.number, {"label": "x"})

    assert [(answer.status_code, answer.json()) for answer in answers[:4]] == [
        (400, {"errors": [], "field-errors": {"forward_to": "Carrier says no."}}),
        (400, {"errors": [], "field-errors": {"phone_numbers": {"0": "Not reachable."}}}),
        (400, {"errors": ["Not today."], "field-errors": {}}),
        (402, {"error": "Your plan has no forwarding."}),
    ]
    assert (answers[4].status_code, elsewhere.status_code) == (200, 200)
    assert [update.number for update in close.updates] == [DESK, other.number]


async def test_a_refusal_can_last(close: CloseStandIn, put: Put, desk: Number) -> None:
    """Without a number of times a number is refused for good, and stays as it is."""
    close.fail(DESK)

    assert [(await put(DESK, {"label": "x"})).status_code for _ in range(2)] == [400, 400]
    assert desk.label == "Front desk"


@pytest.mark.parametrize(
    "wrong", [{"status": 418}, {"status": 500}, {"status": 403, "field": "label"}], ids=["418", "500", "field of 403"]
)
async def test_a_refusal_that_close_does_not_give_cannot_be_ordered(close: CloseStandIn, wrong: dict[str, Any]) -> None:
    """An impossible refusal is a mistake in the test, and looks like one."""
    with pytest.raises(ValueError, match="cannot refuse"):
        close.fail(DESK, **wrong)


@pytest.mark.parametrize("pretend", [False, True], ids=["honest answer", "lying answer"])
async def test_a_setting_can_be_silently_dropped(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    put: Put,
    desk: Number,
    pretend: bool,  # noqa: FBT001 - a parametrised argument
) -> None:
    """An update can succeed and leave one setting as it was; even its answer may hide that, another look does not."""
    close.drop("press_1_to_accept", DESK, pretend=pretend, times=1)

    first = await put(DESK, {"label": "x", "press_1_to_accept": True})
    seen = (await client.get(f"/phone_number/{desk.id}/")).json()
    second = await put(DESK, {"press_1_to_accept": True})

    assert (first.status_code, first.json()["press_1_to_accept"]) == (200, pretend)
    assert (seen["label"], seen["press_1_to_accept"]) == ("x", False)
    assert second.json()["press_1_to_accept"] is True
    assert [dict(update.settings) for update in close.updates] == [{"label": "x"}, {"press_1_to_accept": True}]


async def test_reads_can_lag_behind_updates(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    put: Put,
    desk: Number,
) -> None:
    """For a while reads can show the number as it was; the update's own answer and the truth are never late."""
    close.read_lag = 30

    async def seen() -> tuple[str, str]:
        single = (await client.get(f"/phone_number/{desk.id}/")).json()
        [listed] = (await client.get("/phone_number/")).json()["data"]
        return single["label"], listed["label"]

    answer = (await put(DESK, {"label": "new", "participants": []})).json()
    close.advance(29)
    early = await seen()
    close.advance(1)
    late = await seen()

    assert (answer["label"], close.truth()[DESK]["label"]) == ("new", "new")
    assert early == ("Front desk", "Front desk")
    assert late == ("new", "new")


async def test_only_settings_can_be_dropped(close: CloseStandIn) -> None:
    """To drop what cannot be set is a mistake in the test."""
    with pytest.raises(ValueError, match="'number' is no setting"):
        close.drop("number")


async def test_another_revision_of_the_api_lacks_fields(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    put: Put,
    desk: Number,
) -> None:
    """A field that the revision does not have is in no answer, no update and no filter."""
    close.missing_fields.update({"participant_groups", "is_group_number"})

    row = (await put(DESK, {"label": "x"})).json()
    refused = await put(DESK, {"participant_groups": []})
    unfiltered = await client.get("/phone_number/", params={"is_group_number": "true"})
    unpicked = await client.get(f"/phone_number/{desk.id}/", params={"_fields": "participant_groups"})

    assert {"participant_groups", "is_group_number"}.isdisjoint(row)
    assert field_errors(refused) == {"participant_groups": "Extra inputs are not permitted"}
    assert field_errors(unfiltered) == {"is_group_number": "Extra inputs are not permitted"}
    assert field_errors(unpicked) == {"_fields": "Unknown field: 'participant_groups'"}


async def test_the_truth_is_a_copy(close: CloseStandIn, put: Put, desk: Number, ana: User) -> None:
    """What a checker took down does not move with the numbers, and is equal while nothing has changed."""
    before = close.truth()
    close.advance(5)
    await put(DESK, {"label": "Front desk"})
    same = close.truth()
    await put(DESK, {"participants": []})

    assert before == same
    assert before[DESK]["participants"] == [ana.id]
    assert close.truth()[DESK]["participants"] == desk.participants == []


async def test_somebody_else_can_change_and_remove_numbers(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    desk: Number,
) -> None:
    """What a test does to a record is what the next answer says; a removed number is gone."""
    desk.label = "Changed in the app"
    seen = (await client.get(f"/phone_number/{desk.id}/")).json()
    close.remove_number(DESK)

    assert seen["label"] == "Changed in the app"
    assert (await client.put(f"/phone_number/{desk.id}/", json={"label": "x"})).status_code == 404
    with pytest.raises(KeyError):
        close.number(DESK)

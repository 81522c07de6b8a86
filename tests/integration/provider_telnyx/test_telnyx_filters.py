"""Finding numbers by what they are like: which are found, by how many calls, and what happens to a wrong answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from bot.changes.model.filter_fields import Condition, Typed, read_filter
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.errors import BadRequest, Unavailable
from bot.providers.telnyx.provider import Telnyx
from bot.sandbox.telnyx import TelnyxStandIn

Match = Callable[..., Coroutine[None, None, dict[str, Snapshot]]]
Counted = Callable[[], dict[str, int]]

OWNERSHIP = "/phone_numbers/actions/verify_ownership"
DETAIL = "/phone_numbers"
DETAIL_ONE = "/phone_numbers/{id}"
VOICE = "/phone_numbers/voice"
VOICE_ONE = "/phone_numbers/{id}/voice"
DOWNLOADS = "/phone_numbers/csv_downloads"
FORWARDS_TO = "voice.call_forwarding.forwards_to"
PAYMENT = "voice.usage_payment_method"
NAME = "voice.connection_name"
CHANNEL: dict[str, object] = {"usage_payment_method": "channel"}


@pytest.fixture
def match(telnyx: Telnyx, settings_kind: Kind) -> Match:
    """Give a function that collects the snapshots of a target made of a typed filter and more."""

    async def collect(
        typed: dict[str, Typed],
        *names: str,
        identifiers: tuple[str, ...] = (),
        excluded: tuple[str, ...] = (),
        limit: int | None = None,
    ) -> dict[str, Snapshot]:
        conditions = read_filter(settings_kind, typed)
        target = Target(identifiers=identifiers, conditions=conditions, excluded=excluded, limit=limit)
        found: dict[str, Snapshot] = {}
        async for snapshot in telnyx.find(target, names or ("customer_reference",), settings_kind):
            assert snapshot.e164 not in found, "a number was streamed twice"
            found[snapshot.e164] = snapshot
        return found

    return collect


@pytest.fixture
def mixed(account: TelnyxStandIn) -> dict[str, str]:
    """Put five different numbers into the account and return the ids that filters need."""
    denver, austin = account.add_connection("Denver PBX"), account.add_connection("Austin trunk")
    group, address = account.add_billing_group("East"), account.add_address("100 Main St")
    account.add_number("+13035550101", tags=["VIP"], connection_id=denver.id, billing_group_id=group.id)
    account.add_number("+13035550102", tags=["east"], connection_id=austin.id, customer_reference="REF 1")
    account.add_number("+13035550103", emergency=address.id, voice=CHANNEL, source_type="port_request")
    account.add_number("+18005550104", phone_number_type="toll_free", status="port-pending", tags=["vip", "x"])
    account.add_number("+442071838750", country_iso_alpha2="GB", customer_reference="REF 12", tags=["y"])
    return {"DENVER": denver.id, "GROUP": group.id, "ADDRESS": address.id}


@pytest.mark.parametrize(
    ("typed", "ends"),
    [
        pytest.param({"tag": "vip"}, {"0101", "0104"}, id="tag"),
        pytest.param({"connection_id": "DENVER"}, {"0101"}, id="connection"),
        pytest.param({"phone_number": "+1 303"}, {"0101", "0102", "0103"}, id="phone-number"),
        pytest.param({"status": "port-pending"}, {"0104"}, id="status"),
        pytest.param({"billing_group_id": "GROUP"}, {"0101"}, id="billing-group"),
        pytest.param({"billing_group_id": "none"}, {"0102", "0103", "0104", "8750"}, id="no-billing-group"),
        pytest.param({"emergency_address_id": "ADDRESS"}, {"0103"}, id="emergency-address"),
        pytest.param({"emergency_address_id": "null"}, {"0101", "0102", "0104", "8750"}, id="no-emergency-address"),
        pytest.param({"customer_reference": "REF 1"}, {"0102"}, id="customer-reference"),
        pytest.param({NAME: "Denver PBX"}, {"0101"}, id="connection-name"),
        pytest.param({f"{NAME}[contains]": "TRU"}, {"0102"}, id="connection-name-part"),
        pytest.param({f"{NAME}[starts_with]": "den"}, {"0101"}, id="connection-name-start"),
        pytest.param({f"{NAME}[ends_with]": "pbx"}, {"0101"}, id="connection-name-end"),
        pytest.param({f"{NAME}[starts_with]": "aus", f"{NAME}[ends_with]": "pbx"}, set(), id="start-and-end"),
        pytest.param({PAYMENT: "channel"}, {"0103"}, id="payment"),
        pytest.param({"country_iso_alpha2": "gb"}, {"8750"}, id="country"),
        pytest.param({"country_iso_alpha2": "gb, us"}, {"0101", "0102", "0103", "0104", "8750"}, id="countries"),
        pytest.param({"number_type": "toll_free"}, {"0104"}, id="type"),
        pytest.param({"source": "ported"}, {"0103"}, id="ported"),
        pytest.param({"source": "purchased"}, {"0101", "0102", "0104", "8750"}, id="purchased"),
        pytest.param({"without_tags": True}, {"0103"}, id="without-tags"),
        pytest.param({"tag": "vip", "phone_number": "303"}, {"0101"}, id="two-conditions"),
        pytest.param({"tag": "vip", PAYMENT: "channel"}, set(), id="tag-and-payment"),
        pytest.param({"tag": "nobody"}, set(), id="nothing"),
    ],
)
@pytest.mark.parametrize("name", ["tags", FORWARDS_TO, "voice.caller_id_name_enabled"])
async def test_every_filter_finds_its_numbers(
    mixed: dict[str, str], match: Match, typed: dict[str, str], ends: set[str], name: str
) -> None:
    """Exactly the numbers that match all conditions come, with the value that was asked for, wherever it is kept."""
    found = await match({key: mixed.get(text, text) for key, text in typed.items()}, name)

    assert {e164[-4:] for e164 in found} == ends
    assert all(set(one.values) == {name} and one.editable for one in found.values())


async def test_no_condition_is_no_number(account: TelnyxStandIn, match: Match) -> None:
    """A target without numbers and conditions is empty, never the whole account, and costs nothing."""
    account.add_numbers(3, start="+13035550000")

    assert await match({}) == {}
    assert await match({}, excluded=("+13035550000",)) == {}
    assert account.calls == []


async def test_a_small_match_in_a_large_account_is_two_calls(
    account: TelnyxStandIn, match: Match, counted: Counted
) -> None:
    """10 of 5,000 numbers take one page, which holds their values too, and one ownership check."""
    account.add_numbers(5000, start="+13035550000")
    account.add_numbers(10, start="+13039990000", tags=["vip"])

    assert len(await match({"tag": "vip"}, "tags")) == 10
    assert counted() == {DETAIL: 1, OWNERSHIP: 1}


async def test_a_match_of_nothing_is_one_call(account: TelnyxStandIn, match: Match, counted: Counted) -> None:
    """Where nothing matches there is nothing to check."""
    account.add_numbers(3, start="+13035550000")

    assert await match({"tag": "vip"}) == {}
    assert counted() == {DETAIL: 1}


async def test_twenty_thousand_numbers_are_eighty_pages(account: TelnyxStandIn, match: Match, counted: Counted) -> None:
    """A filter that matches 20,000 numbers is 80 pages and 20 ownership checks, and none is missing."""
    numbers = account.add_numbers(20_000, start="+13035550000", tags=["vip"])
    account.add_numbers(300, start="+13036660000")

    found = await match({"tag": "vip"}, "tags")

    assert counted() == {DETAIL: 80, OWNERSHIP: 20}
    assert {one.id for one in found.values()} == {number.id for number in numbers}
    assert {one.status for one in found.values()} == {"active"}


@pytest.mark.parametrize(
    ("typed", "name", "calls"),
    [
        pytest.param({"tag": "vip"}, "tags", {DETAIL: 2}, id="detail-only"),
        pytest.param({"tag": "vip"}, FORWARDS_TO, {DETAIL: 2, VOICE: 4}, id="voice-by-the-account's-pages"),
        pytest.param({"phone_number": "999"}, FORWARDS_TO, {VOICE: 2}, id="voice-finds-them-itself"),
        pytest.param({"phone_number": "999"}, "tags", {DETAIL: 2}, id="detail-finds-them-itself"),
        pytest.param({"tag": "vip", "phone_number": "999"}, FORWARDS_TO, {DETAIL: 2, VOICE: 2}, id="voice-narrowed"),
        pytest.param({PAYMENT: "channel"}, FORWARDS_TO, {VOICE: 2}, id="payment-in-voice"),
        pytest.param({PAYMENT: "channel"}, "tags", {DETAIL: 2, VOICE: 2}, id="payment-proven-by-voice"),
        pytest.param({"tag": "vip", PAYMENT: "channel"}, "tags", {DETAIL: 2, VOICE: 2}, id="payment-and-tag"),
    ],
)
async def test_voice_settings_are_read_only_when_needed(
    account: TelnyxStandIn,
    match: Match,
    counted: Counted,
    *,
    typed: dict[str, Typed],
    name: str,
    calls: dict[str, int],
) -> None:
    """300 of 1,000 numbers: two pages of one list if it can answer alone, else the fewest pages of the other."""
    account.add_numbers(700, start="+13035550000")
    account.add_numbers(300, start="+13039990000", tags=["vip"], voice=CHANNEL)

    found = await match(typed, name)

    assert len(found) == 300
    assert counted() == {**calls, OWNERSHIP: 1}


async def test_few_matches_read_their_voice_settings_singly(
    account: TelnyxStandIn, match: Match, counted: Counted
) -> None:
    """3 tagged numbers of 1,000: one page finds them, and three single reads are fewer than the account's pages."""
    account.add_numbers(997, start="+13035550000")
    account.add_numbers(3, start="+13039990000", tags=["vip"])

    assert len(await match({"tag": "vip"}, "tags", FORWARDS_TO)) == 3
    assert counted() == {DETAIL: 1, VOICE_ONE: 3, OWNERSHIP: 1}


async def test_what_cannot_be_changed_says_so(account: TelnyxStandIn, match: Match) -> None:
    """A number that matches and is in no editable state comes, and says that it cannot be changed."""
    account.add_number("+13035550100", tags=["vip"])
    account.add_number("+13035550101", tags=["vip"], status="ported-out")

    found = await match({"tag": "vip"}, "tags")

    assert {e164: one.editable for e164, one in found.items()} == {"+13035550100": True, "+13035550101": False}
    assert found["+13035550101"].status == "ported-out"


IGNORED = [
    pytest.param({"tag": "vip"}, "filter[tag]", id="tag"),
    pytest.param({"connection_id": "1"}, "filter[connection_id]", id="connection"),
    pytest.param({"phone_number": "2071"}, "filter[phone_number]", id="phone-number"),
    pytest.param({"status": "deleted"}, "filter[status]", id="status"),
    pytest.param({"billing_group_id": "1"}, "filter[billing_group_id]", id="billing-group"),
    pytest.param({"billing_group_id": "null"}, "filter[billing_group_id]", id="no-billing-group"),
    pytest.param({"emergency_address_id": "1"}, "filter[emergency_address_id]", id="address"),
    pytest.param({"emergency_address_id": "null"}, "filter[emergency_address_id]", id="no-address"),
    pytest.param({"customer_reference": "x"}, "filter[customer_reference]", id="reference"),
    pytest.param({NAME: "Austin"}, f"filter[{NAME}][eq]", id="connection-name"),
    pytest.param({f"{NAME}[contains]": "aus"}, f"filter[{NAME}][contains]", id="connection-name-part"),
    pytest.param({PAYMENT: "channel"}, f"filter[{PAYMENT}]", id="payment"),
    pytest.param({"country_iso_alpha2": "GB"}, "filter[country_iso_alpha2]", id="country"),
    pytest.param({"country_iso_alpha2": "GB, CA"}, "filter[country_iso_alpha2][]", id="countries"),
    pytest.param({"number_type": "mobile"}, "filter[number_type][eq]", id="type"),
    pytest.param({"source": "ported"}, "filter[source]", id="source"),
    pytest.param({"without_tags": True}, "filter[without_tags]", id="without-tags"),
    pytest.param({"tag": "east", "status": "deleted"}, "filter[status]", id="one-of-two"),
]


@pytest.mark.parametrize(("typed", "parameter"), IGNORED)
@pytest.mark.parametrize("name", ["tags", FORWARDS_TO])
async def test_an_ignored_filter_stops_everything(
    account: TelnyxStandIn, match: Match, typed: dict[str, Typed], parameter: str, name: str
) -> None:
    """When Telnyx overlooks a filter and lists what does not match, nothing comes but a clear refusal."""
    denver, group, address = (
        account.add_connection("Denver PBX"),
        account.add_billing_group("East"),
        account.add_address("100 Main St"),
    )
    account.add_numbers(
        300,
        start="+13035550000",
        tags=["east"],
        connection_id=denver.id,
        billing_group_id=group.id,
        emergency=address.id,
        customer_reference="acme",
    )
    account.ignored_filters.add(parameter)

    with pytest.raises(BadRequest, match=r"Telnyx did not apply the filter “.+”: .*; nothing was planned\."):
        await match(typed, name)


async def test_an_ignored_filter_is_seen_on_any_page(account: TelnyxStandIn, match: Match) -> None:
    """One stray number behind hundreds that match is enough."""
    account.add_numbers(600, start="+13035550000", tags=["vip"])
    account.add_number("+13039999999")
    account.ignored_filters.add("filter[tag]")

    with pytest.raises(BadRequest, match=r"it listed \+13039999999, which does not match"):
        await match({"tag": "vip"}, "tags")


async def test_a_filter_that_is_ignored_for_voice_only_costs_calls(account: TelnyxStandIn, match: Match) -> None:
    """Where pages only have to hold the numbers found already, strangers on them are overlooked."""
    account.add_numbers(700, start="+13035550000")
    account.add_numbers(300, start="+13039990000", tags=["vip"])
    reading = asyncio.create_task(match({"tag": "vip", "phone_number": "999"}, FORWARDS_TO))
    await account.wait_for(lambda: any(call.path == OWNERSHIP for call in account.calls))
    account.ignored_filters.add("filter[phone_number]")

    assert len(await reading) == 300


async def test_exclusions_are_left_out(account: TelnyxStandIn, match: Match, counted: Counted) -> None:
    """All with the tag except these, whether they are named by number or by id, and named twice or not at all."""
    numbers = account.add_numbers(6, start="+13035550000", tags=["vip"])
    other = account.add_number("+13036660000")
    excluded = (numbers[0].phone_number, numbers[1].id, other.phone_number, "+13039999999")
    identifiers = (numbers[1].phone_number, other.id, numbers[2].phone_number)

    found = await match({"tag": "vip"}, "tags", identifiers=identifiers, excluded=excluded)

    assert {one.id for one in found.values()} == {number.id for number in numbers[2:]}
    assert counted() == {DETAIL: 1, OWNERSHIP: 1, DETAIL_ONE: 1}


async def test_exclusions_hold_for_lists_too(account: TelnyxStandIn, match: Match) -> None:
    """A named number is left out by its other name as well, before its settings are read if that is possible."""
    numbers = account.add_numbers(3, start="+13035550000")

    found = await match(
        {},
        identifiers=(numbers[0].phone_number, numbers[1].id, numbers[2].id),
        excluded=(numbers[0].id, numbers[1].phone_number),
    )

    assert set(found) == {numbers[2].phone_number}


async def test_lists_and_filters_are_united(account: TelnyxStandIn, match: Match, counted: Counted) -> None:
    """Named numbers come besides those that match, and a number that is both comes once and is read once."""
    vips = account.add_numbers(300, start="+13035550000", tags=["vip"])
    others = account.add_numbers(3, start="+13036660000")
    stranger, porting = "+13039999999", account.add_number("+13036660009", status="ported-out")
    identifiers = (
        vips[0].phone_number,
        vips[1].id,
        others[0].phone_number,
        others[1].id,
        stranger,
        porting.phone_number,
    )

    found = await match({"tag": "vip"}, "tags", FORWARDS_TO, identifiers=identifiers)

    assert {one.id for one in found.values()} == {number.id for number in [*vips, *others[:2]]}
    assert all(one.editable and set(one.values) == {"tags", FORWARDS_TO} for one in found.values())
    assert counted() == {DETAIL: 2, OWNERSHIP: 2, DETAIL_ONE: 2, VOICE: 2}


@pytest.mark.parametrize(
    ("limit", "excluded", "snapshots", "pages"),
    [(499, 0, 500, 2), (400, 0, 401, 2), (1000, 0, 1000, 4), (999, 0, 1000, 4), (499, 1, 500, 3), (999, 1, 999, 4)],
)
async def test_reading_stops_when_there_are_too_many(
    account: TelnyxStandIn, match: Match, *, limit: int, excluded: int, snapshots: int, pages: int
) -> None:
    """With a limit no more pages are read than prove that it is passed, and at most one number more than it comes."""
    numbers = account.add_numbers(1000, start="+13035550000", tags=["vip"])
    left_out = tuple(number.phone_number for number in numbers[:excluded])

    found = await match({"tag": "vip"}, "tags", limit=limit, excluded=left_out)

    assert len(found) == snapshots
    assert sum(call.path == DETAIL for call in account.calls) == pages
    assert all(one.editable for one in found.values()) == (snapshots <= limit)


async def test_named_numbers_count_towards_the_limit(account: TelnyxStandIn, match: Match) -> None:
    """Three that match and three named pass a limit of four; whoever counts sees five, and no more."""
    account.add_numbers(3, start="+13035550000", tags=["vip"])
    named = account.add_numbers(3, start="+13036660000")

    found = await match({"tag": "vip"}, identifiers=tuple(number.id for number in named), limit=4)

    assert len(found) == 5


async def test_a_shift_between_pages_is_noticed(account: TelnyxStandIn, match: Match, counted: Counted) -> None:
    """Numbers that leave while pages are read make others slip between two pages; the pages are read again."""
    numbers = account.add_numbers(750, start="+13035550000", tags=["vip"])
    account.faults.add(kind="delay", path=DETAIL, after=1, times=2, seconds=0.2, effect_first=False)

    reading = asyncio.create_task(match({"tag": "vip"}, "tags"))
    await account.wait_for(lambda: any(call.path == DETAIL and call.status == 200 for call in account.calls))
    for number in numbers[:5]:
        account.remove_number(number.id)
    found = await reading

    assert set(found) == {number.phone_number for number in numbers[5:]}
    assert counted() == {DETAIL: 6, OWNERSHIP: 1}


async def test_a_number_that_goes_before_its_voice_settings_are_read_is_absent(
    account: TelnyxStandIn, match: Match
) -> None:
    """Half a snapshot is none: the number is left out, and nothing fails."""
    numbers = account.add_numbers(2, start="+13035550000", tags=["vip"])
    account.faults.add(kind="status", path=f"/phone_numbers/{numbers[0].id}/voice", status=404)

    assert set(await match({"tag": "vip"}, "tags", FORWARDS_TO)) == {numbers[1].phone_number}


async def test_a_filter_can_be_stopped_midway(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """Whoever stops listening after the first number leaves nothing running behind."""
    account.add_numbers(800, start="+13035550000", tags=["vip"])
    target = Target(conditions=(Condition("tag", "", "vip"),))
    stream = telnyx.find(target, ["tags", FORWARDS_TO], settings_kind)

    first = await anext(stream)
    await stream.aclose()

    assert first.e164
    assert [task for task in asyncio.all_tasks() if "together" in repr(task)] == []


async def test_a_page_that_stays_away_ends_the_reading(account: TelnyxStandIn, match: Match) -> None:
    """A page that cannot be read is never taken for the end of the list."""
    account.add_numbers(600, start="+13035550000", tags=["vip"])
    account.faults.add(kind="malformed", path=DETAIL, after=2, times=None)

    with pytest.raises(Unavailable):
        await match({"tag": "vip"}, "tags")


async def test_tags_are_offered(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """Tags in use are found by any part of them, first those that begin with it; letter by letter is one call."""
    account.add_number("+13035550100", tags=["vip", "Old VIP", "east", "x" * 80])

    for typed in ("v", "vi", "VIP"):
        offered = await telnyx.choices(settings_kind, "tags", typed)

        assert [choice.value for choice in offered] == ["vip", "Old VIP"]
    assert [choice.value for choice in await telnyx.choices(settings_kind, "tags", "")] == ["east", "Old VIP", "vip"]
    assert [(call.path, call.query) for call in account.calls] == [("/user_tags", {})]
    assert await telnyx.labels(settings_kind, "tags", ["vip"]) == {"vip": "vip"}


async def test_a_new_tag_is_asked_for(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """A tag that came into use a moment ago is found by its beginning although the list is remembered."""
    assert await telnyx.choices(settings_kind, "tags", "") == ()
    account.add_number("+13035550100", tags=["Brand new"])

    offered = await telnyx.choices(settings_kind, "tags", "brand ")

    assert [choice.value for choice in offered] == ["Brand new"]
    assert account.calls[-1].query == {"filter[starts_with]": ["brand"]}


async def test_menus_that_ask_at_once_share_one_call(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind
) -> None:
    """Several questions before the first answer are one call."""
    account.add_number("+13035550100", tags=["vip"])

    await asyncio.gather(*(telnyx.choices(settings_kind, "tags", "vip"[:length]) for length in range(4)))

    assert len(account.calls) == 1


@pytest.mark.parametrize(
    ("typed", "ends"),
    [
        pytest.param({}, {"0102", "0104", "8750"}, id="alone"),
        pytest.param({"tag": "vip"}, {"0104"}, id="tag"),
        pytest.param({PAYMENT: "pay-per-minute"}, {"0102", "0104", "8750"}, id="shown-by-another-list"),
        pytest.param({"country_iso_alpha2": "us"}, {"0102", "0104"}, id="one-that-no-download-takes"),
        pytest.param({"tag": "nobody"}, set(), id="nothing"),
    ],
)
@pytest.mark.parametrize("name", ["tags", FORWARDS_TO])
@pytest.mark.usefixtures("mixed")
async def test_numbers_with_a_bundle_are_found(
    account: TelnyxStandIn, match: Match, typed: dict[str, str], ends: set[str], name: str
) -> None:
    """Whichever list shows the rest, what the file names and the other conditions leave is what is found."""
    for number in account.numbers.values():
        number.has_bundle = number.phone_number[-4:] in {"0102", "0104", "8750"}

    found = await match({"has_bundle": True, **typed}, name)

    assert {e164[-4:] for e164 in found} == ends
    assert all(set(one.values) == {name} for one in found.values())


async def test_a_bundle_is_one_download_and_the_list_of_the_rest(
    account: TelnyxStandIn, match: Match, counted: Counted
) -> None:
    """The pages of the other conditions are read whole, however few the file names; those excluded are left out."""
    for at, number in enumerate(account.add_numbers(600, start="+13035550000")):
        number.has_bundle = at < 3

    found = await match({"has_bundle": True}, "tags", excluded=("+13035550001",), limit=5)

    assert set(found) == {"+13035550000", "+13035550002"}
    calls = counted()
    looks = sum(calls.pop(path) for path in list(calls) if path.startswith(f"{DOWNLOADS}/"))
    assert looks == 0  # it was complete at once
    assert calls == {DOWNLOADS: 1, DETAIL: 3, OWNERSHIP: 1}


async def test_more_bundles_than_asked_for_are_told_as_more(account: TelnyxStandIn, match: Match) -> None:
    """With a limit, one more comes, and nothing else is read of them."""
    for at, number in enumerate(account.add_numbers(9, start="+13035550000")):
        number.has_bundle = at < 7

    assert len(await match({"has_bundle": True}, "tags", limit=5)) == 6


async def test_a_number_with_a_bundle_that_cannot_be_changed_now_is_told(account: TelnyxStandIn, match: Match) -> None:
    """It is found and not editable, so that the requester hears of it."""
    account.add_number("+13035550000", has_bundle=True, status="port-failed")
    account.add_number("+13035550001")

    found = await match({"has_bundle": True}, "tags")

    assert [(one.e164, one.status, one.editable) for one in found.values()] == [("+13035550000", "port-failed", False)]

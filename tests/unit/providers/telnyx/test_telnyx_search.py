"""What Telnyx is asked for, and which rows prove that it answered that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.changes.model.filter_fields import Condition
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Target
from bot.changes.model.values import Value
from bot.errors import BadRequest, Unavailable
from bot.providers.telnyx.provider import Telnyx
from bot.providers.telnyx.search import Search, parameter
from bot.providers.telnyx.values import Source

Serve = Callable[[httpx.Request], httpx.Response]
NAME = "voice.connection_name"
PAYMENT = "voice.usage_payment_method"
#: A row of the detail list in the documented form.
ROW: dict[str, Any] = {
    "id": "1293384261075731499",
    "phone_number": "+19705555098",
    "status": "active",
    "tags": ["VIP", "east"],
    "connection_id": "1293384261075731490",
    "connection_name": "Denver PBX",
    "billing_group_id": "86f58db9-0fe3-4adc-9d1f-46e66e6e9323",
    "emergency_address_id": "1315261609962112019",
    "customer_reference": "MY REF 001",
    "country_iso_alpha2": "US",
    "phone_number_type": "local",
    "source_type": "number_order",
}


def search(kind: Kind, *conditions: tuple[str, str, Value]) -> Search:
    """Return the search for (field, operator, value) triples."""
    return Search.of([Condition(*condition) for condition in conditions], kind)


@pytest.mark.parametrize(
    ("condition", "query"),
    [
        (("tag", "", "vip"), {"filter[tag]": "vip"}),
        (("connection_id", "", "12"), {"filter[connection_id]": "12"}),
        (("billing_group_id", "", None), {"filter[billing_group_id]": "null"}),
        ((NAME, "ends_with", "PBX"), {"filter[voice.connection_name][ends_with]": "PBX"}),
        ((PAYMENT, "", "channel"), {"filter[voice.usage_payment_method]": "channel"}),
        (("country_iso_alpha2", "", ("US",)), {"filter[country_iso_alpha2]": "US"}),
        (("country_iso_alpha2", "", ("US", "CA")), {"filter[country_iso_alpha2][]": ["US", "CA"]}),
        (("number_type", "", "local"), {"filter[number_type][eq]": "local"}),
        (("without_tags", "", True), {"filter[without_tags]": "true"}),
    ],
)
def test_a_condition_is_one_parameter(condition: tuple[str, str, Value], query: dict[str, object]) -> None:
    """Filters are written as documented: brackets around the whole name, the operator in brackets of its own."""
    assert parameter(Condition(*condition)) == query


@pytest.mark.parametrize(
    ("condition", "odd"),
    [
        pytest.param(("tag", "", "vip"), {"tags": ["east"]}, id="tag"),
        pytest.param(("tag", "", "vip"), {"tags": None}, id="tag-of-no-list"),
        pytest.param(("connection_id", "", "1293384261075731490"), {"connection_id": None}, id="connection"),
        pytest.param(("phone_number", "", "970555"), {"phone_number": "+13035550100"}, id="digits"),
        pytest.param(("status", "", "active"), {"status": "port-pending"}, id="status"),
        pytest.param(("billing_group_id", "", ROW["billing_group_id"]), {"billing_group_id": ""}, id="group"),
        pytest.param(
            ("emergency_address_id", "", ROW["emergency_address_id"]), {"emergency_address_id": "1"}, id="address"
        ),
        pytest.param(("customer_reference", "", "my ref 001"), {"customer_reference": "MY REF 0012"}, id="reference"),
        pytest.param(("country_iso_alpha2", "", ("CA", "US")), {"country_iso_alpha2": "GB"}, id="country"),
        pytest.param(("number_type", "", "local"), {"phone_number_type": "tollfree"}, id="type"),
        pytest.param(("source", "", "purchased"), {"source_type": "port_request"}, id="source"),
        pytest.param(("source", "", "purchased"), {"source_type": None}, id="source-unknown"),
        pytest.param((NAME, "eq", "denver pbx"), {"connection_name": "Denver PBX 2"}, id="name"),
        pytest.param((NAME, "contains", "ver P"), {"connection_name": "Austin"}, id="name-part"),
        pytest.param((NAME, "starts_with", "Denver"), {"connection_name": "Old Denver"}, id="name-start"),
        pytest.param((NAME, "ends_with", "PBX"), {"connection_name": "PBX Denver"}, id="name-end"),
        pytest.param((NAME, "eq", "denver pbx"), {"connection_name": None, "connection_id": None}, id="no-connection"),
    ],
)
def test_a_row_that_does_not_match_stops_everything(
    settings_kind: Kind, condition: tuple[str, str, Value], odd: dict[str, Any]
) -> None:
    """The documented row passes; the same row without what was asked for proves that the filter was ignored."""
    asked = search(settings_kind, condition)
    asked.check(ROW, Source.DETAIL)

    with pytest.raises(BadRequest, match=r"^Telnyx did not apply the filter “.+”: .*; nothing was planned\.$") as error:
        asked.check(ROW | odd, Source.DETAIL)

    assert error.value.pointer == f"filter[{condition[0]}]"


@pytest.mark.parametrize(
    ("condition", "row"),
    [
        pytest.param(("billing_group_id", "", None), {"billing_group_id": None}, id="group-none"),
        pytest.param(("emergency_address_id", "", None), {"emergency_address_id": ""}, id="address-none"),
        pytest.param(("without_tags", "", True), {"tags": []}, id="no-tags"),
        pytest.param(("number_type", "", "toll_free"), {"phone_number_type": "tollfree"}, id="older-toll-free"),
        pytest.param(("number_type", "", "local"), {"phone_number_type": "longcode"}, id="older-local"),
        pytest.param(("source", "", "ported"), {"source_type": "port_request"}, id="ported"),
        pytest.param((NAME, "contains", "PBX"), {"connection_name": None}, id="a-name-that-is-not-told"),
        pytest.param(("connection_id", "", "12"), {"connection_id": 12}, id="id-as-integer"),
    ],
)
def test_a_row_that_matches_passes(settings_kind: Kind, condition: tuple[str, str, Value], row: dict[str, Any]) -> None:
    """None is null, blank or absent, older names of types count, and what is not told cannot be held against a row."""
    search(settings_kind, condition).check(ROW | row, Source.DETAIL)


@pytest.mark.parametrize(
    "condition", [("billing_group_id", "", None), ("emergency_address_id", "", None), ("without_tags", "", True)]
)
def test_having_none_is_checked_too(settings_kind: Kind, condition: tuple[str, str, Value]) -> None:
    """A number that has a group, an address or a tag is no answer to the question for those without."""
    with pytest.raises(BadRequest, match="did not apply"):
        search(settings_kind, condition).check(ROW, Source.DETAIL)


def test_payment_is_shown_by_voice_rows_only(settings_kind: Kind) -> None:
    """A detail row says nothing about payment; a voice row does."""
    asked = search(settings_kind, (PAYMENT, "", "channel"))
    asked.check(ROW, Source.DETAIL)
    asked.check({"usage_payment_method": "channel"}, Source.VOICE)

    with pytest.raises(BadRequest, match="Usage billing"):
        asked.check({"usage_payment_method": "pay-per-minute"}, Source.VOICE)


@pytest.mark.parametrize(
    ("fields", "needed", "home", "besides"),
    [
        pytest.param(["tag"], [Source.DETAIL], Source.DETAIL, [], id="detail"),
        pytest.param(["tag"], [Source.VOICE], Source.DETAIL, [Source.VOICE], id="voice-cannot-find-tags"),
        pytest.param(["phone_number"], [Source.VOICE], Source.VOICE, [], id="voice-alone"),
        pytest.param(["phone_number"], [], Source.DETAIL, [], id="nothing-needed"),
        pytest.param(["phone_number", "tag"], [Source.VOICE], Source.DETAIL, [Source.VOICE], id="one-of-two"),
        pytest.param([PAYMENT], [], Source.VOICE, [], id="payment-proven-at-once"),
        pytest.param([PAYMENT], [Source.DETAIL], Source.DETAIL, [Source.VOICE], id="payment-proven-besides"),
        pytest.param([PAYMENT, "tag"], [], Source.DETAIL, [Source.VOICE], id="payment-and-tag"),
    ],
)
def test_the_fewest_lists_answer(
    settings_kind: Kind, fields: list[str], needed: list[Source], home: Source, besides: list[Source]
) -> None:
    """Where a search begins depends on what each list can find, shows, and holds of the wanted values."""
    values: dict[str, Value] = {PAYMENT: "channel", "phone_number": "303", "tag": "vip"}
    asked = search(settings_kind, *((name, "", values[name]) for name in fields))

    assert asked.home(needed) == (home, frozenset(besides))


async def test_what_nobody_knows_is_refused_before_any_call(
    telnyx: Callable[[Serve], Telnyx], settings_kind: Kind
) -> None:
    """A condition that is unknown is never left out silently."""
    calls: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(500)

    provider = telnyx(serve)
    target = Target(conditions=(Condition("tag", "", "vip"), Condition("shoe_size", "", "true")))
    with pytest.raises(BadRequest, match=r"Telnyx cannot list numbers by “.+”; nothing was planned\."):
        [one async for one in provider.find(target, ["tags"], settings_kind)]

    assert calls == []


def listed(first: int, count: int, total: int | None) -> httpx.Response:
    """Return a page of ``count`` rows from position ``first`` on."""
    meta = {} if total is None else {"meta": {"total_results": total}}
    rows = [
        {**ROW, "id": str(1_293_384_261_075_731_000 + n), "phone_number": f"+1303555{n:04}"}
        for n in range(first, first + count)
    ]
    return httpx.Response(200, json={"data": rows, **meta})


def owned(request: httpx.Request) -> httpx.Response:
    """Return that none of the numbers asked for can be changed."""
    assert request.method == "POST"
    return httpx.Response(200, json={"data": {"found": []}})


async def test_numbers_that_keep_shifting_are_not_planned(
    telnyx: Callable[[Serve], Telnyx], settings_kind: Kind
) -> None:
    """When the total differs from page to page each time, three readings are enough: nothing is guessed."""
    pages: list[int] = []

    def serve(request: httpx.Request) -> httpx.Response:
        pages.append(int(request.url.params["page[number]"]))
        return listed((pages[-1] - 1) * 250, 250 if pages[-1] == 1 else 100, 350 + len(pages))

    target = Target(conditions=(Condition("tag", "", "vip"),))
    with pytest.raises(Unavailable, match="came and went"):
        [one async for one in telnyx(serve).find(target, ["tags"], settings_kind)]

    assert pages == [1, 2] * 3


async def test_a_repeated_row_is_read_again(telnyx: Callable[[Serve], Telnyx], settings_kind: Kind) -> None:
    """A number on two pages means that another was pushed off; the second reading is whole."""
    pages: list[int] = []

    def serve(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return owned(request)
        pages.append(int(request.url.params["page[number]"]))
        return listed(0, 250, 260) if pages[-1] == 1 else listed(249 if len(pages) == 2 else 250, 10, 260)

    target = Target(conditions=(Condition("tag", "", "vip"),))
    found = [one async for one in telnyx(serve).find(target, ["tags"], settings_kind)]

    assert len({one.id for one in found}) == len(found) == 260
    assert pages == [1, 2, 1, 2]
    assert not any(one.editable for one in found)


async def test_a_filter_without_totals_is_read_to_the_end(
    telnyx: Callable[[Serve], Telnyx], settings_kind: Kind
) -> None:
    """When no page says how many there are, only an empty one is the end."""
    pages: list[int] = []

    def serve(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return owned(request)
        pages.append(int(request.url.params["page[number]"]))
        return listed((pages[-1] - 1) * 250, {1: 250, 2: 250, 3: 7}.get(pages[-1], 0), None)

    provider = telnyx(serve)
    target = Target(conditions=(Condition("tag", "", "vip"),))

    assert len([one async for one in provider.find(target, ["tags"], settings_kind)]) == 507
    assert pages == [1, 2, 3, 4]


async def test_a_row_that_names_no_number_is_an_error(telnyx: Callable[[Serve], Telnyx], settings_kind: Kind) -> None:
    """What matches but cannot be told from others is not left out silently."""
    provider = telnyx(lambda _request: httpx.Response(200, json={"data": [{**ROW, "id": None}]}))

    with pytest.raises(Unavailable, match="without saying which"):
        [one async for one in provider.find(Target(conditions=(Condition("tag", "", "vip"),)), ["tags"], settings_kind)]

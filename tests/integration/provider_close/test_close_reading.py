"""Finding numbers at Close: what is told, what is not, and lists that cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.changes.model.filter_fields import Condition, read_filter
from bot.changes.model.snapshots import Target
from bot.errors import BadRequest, Unauthorised, Unavailable
from bot.providers.close.provider import Close
from bot.sandbox.close import furnish
from tests.integration.provider_close.conftest import KIND, Organization, find

LISTS = ("participants", "participant_groups", "phone_numbers")


async def test_absent_null_and_empty_are_three_things(organization: Organization) -> None:
    """What Close does not tell is not in the values; null is None; an empty list is an empty list."""
    organization.close.add_number("+13035550100", absent={"forward_to", "press_1_to_accept"})
    provider = await organization.open()

    found = await find(
        provider,
        Target(identifiers=("+13035550100",)),
        *("forward_to", "press_1_to_accept", "inbound_ring_duration", "voicemail_greeting_url", "participants"),
    )

    [snapshot] = found.values()
    assert dict(snapshot.values) == {
        "inbound_ring_duration": None,
        "voicemail_greeting_url": None,
        "participants": (),
    }
    assert snapshot.editable


async def test_a_list_that_is_not_told_cannot_be_replaced(organization: Organization) -> None:
    """Nobody could see what would go, so such a number cannot be changed; other settings of it can."""
    organization.close.add_number("+13035550100", absent={"participants"})
    provider = await organization.open()
    target = Target(identifiers=("+13035550100",))

    assert [s.editable for s in (await find(provider, target, "participants")).values()] == [False]
    assert [s.editable for s in (await find(provider, target, "label")).values()] == [True]


@pytest.mark.parametrize("name", ["participant_groups", "inbound_ring_duration"])
async def test_an_older_revision_of_the_api_is_read_all_the_same(organization: Organization, name: str) -> None:
    """A field that this revision does not have is refused as such when asked for, and not missed when not."""
    organization.close.add_number("+13035550100", label="Front desk", undocumented={"brand_new": {"deep": [1]}})
    organization.close.missing_fields.add(name)
    provider = await organization.open()
    target = Target(identifiers=("+13035550100",))

    assert [dict(s.values) for s in (await find(provider, target, "label")).values()] == [{"label": "Front desk"}]
    with pytest.raises(BadRequest, match=name):
        await find(provider, target, name)


async def test_a_personal_number_reads_alike_by_itself_and_in_the_list(organization: Organization) -> None:
    """By itself it comes without its lists; then the list is asked, so that a plan and a run see the same."""
    team = furnish(organization.close, shared=0)
    provider = await organization.open()
    number = team.own[0]

    by_id = await find(provider, Target(identifiers=(number.id,)), *LISTS)
    by_number = await find(provider, Target(identifiers=(number.number,)), *LISTS)

    assert by_id == by_number
    assert dict(by_id[number.number].values) == dict.fromkeys(LISTS, ())


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        pytest.param({"label": "SALES"}, lambda n, _: "Sales" in n.label, id="label-contains"),
        pytest.param({"sort": "group"}, lambda n, _: n.is_group_number, id="group"),
        pytest.param({"sort": "personal"}, lambda n, _: not n.is_group_number, id="personal"),
        pytest.param({"number": "551004"}, lambda n, _: "551004" in n.number, id="digits"),
        pytest.param(
            {"participant": "user_zoe"},
            lambda n, o: "user_zoe" in n.participants or o.groups["Sales"].id in n.participant_groups,
            id="participant-also-through-a-group",
        ),
        pytest.param(
            {"label": "support", "number": "1005"}, lambda n, _: "Support" in n.label and "1005" in n.number, id="both"
        ),
    ],
)
async def test_every_filter_finds_exactly_what_it_says(
    organization: Organization, typed: dict[str, str], chosen: Callable[..., bool]
) -> None:
    """Whether Close applies a filter or we do, the numbers found are those that are like that."""
    team = furnish(organization.close, shared=130)
    zoe = organization.close.add_user("Zoe", "Zander", id="user_zoe")
    team.shared[3].participants.append(zoe.id)
    team.groups["Sales"].members.append(zoe.id)
    team.shared[5].participant_groups.append(team.groups["Sales"].id)
    provider = await organization.open()

    found = await find(provider, Target(conditions=read_filter(KIND, typed)), "label")

    expected = {number.number for number in organization.close.numbers.values() if chosen(number, team)}
    assert found.keys() == expected
    assert expected


@pytest.mark.parametrize(
    ("typed", "parameter"),
    [({"sort": "group"}, "is_group_number"), ({"participant": "user_ana"}, "participant_user_id")],
)
async def test_a_filter_that_close_ignores_is_noticed(
    organization: Organization, typed: dict[str, str], parameter: str
) -> None:
    """One row that does not show what it should stops everything."""
    organization.close.add_user("Ana", "Reyes", id="user_ana")
    furnish(organization.close, shared=5)
    organization.close.ignored_filters.add(parameter)
    provider = await organization.open()

    with pytest.raises(BadRequest, match="did not apply the filter"):
        await find(provider, Target(conditions=read_filter(KIND, typed)), "label")


async def test_a_participant_is_found_where_fields_are_gone(organization: Organization) -> None:
    """Deprecated fields and those of newer revisions are not asked for by name, so a search works without them."""
    ana = organization.close.add_user("Ana", "Reyes", id="user_ana")
    organization.close.add_number("+13035550100", participants=[ana.id])
    organization.close.add_number("+13035550101")
    organization.close.missing_fields.update({"user_id", "is_group_number", "participant_groups"})
    provider = await organization.open()

    found = await find(provider, Target(conditions=read_filter(KIND, {"participant": ana.id})), "label")

    assert found.keys() == {"+13035550100"}


async def test_a_condition_that_nobody_knows_is_refused(organization: Organization) -> None:
    """It would select every number."""
    provider = await organization.open()

    with pytest.raises(BadRequest, match="shoe_size"):
        await find(provider, Target(conditions=(Condition("shoe_size", "", "44"),)), "label")


async def test_a_list_that_moves_while_it_is_read_is_read_again(organization: Organization) -> None:
    """A number that goes away between two pages shifts the rest; none of it is missed."""
    numbers = organization.close.add_numbers(250, start="+13035550100", label="Front desk")
    provider = await organization.open()
    target = Target(conditions=read_filter(KIND, {"label": "front"}))
    removed: list[str] = []

    async def shifting(request: Any) -> None:
        if "_skip=99" in str(request.url) and len(removed) < 2:
            removed.append(numbers[-1 - len(removed)].number)
            organization.close.remove_number(removed[-1])
            # Two at once, so that the overlap of one row is not enough.
            removed.append(numbers[-1 - len(removed)].number)
            organization.close.remove_number(removed[-1])

    provider._http.client.event_hooks["request"].append(shifting)
    found = await find(provider, target, "label")

    assert len(removed) == 2
    assert found.keys() == {number.number for number in numbers} - set(removed)


async def test_a_list_that_never_stands_still_is_unavailable(organization: Organization) -> None:
    """Better no plan than one that misses a number."""
    numbers = [
        number.number for number in organization.close.add_numbers(400, start="+13035550100", label="Front desk")
    ]
    provider = await organization.open()

    async def shifting(request: Any) -> None:
        if "_skip=99" in str(request.url):
            for number in (numbers.pop(), numbers.pop()):
                organization.close.remove_number(number)

    provider._http.client.event_hooks["request"].append(shifting)
    with pytest.raises(Unavailable, match="kept changing"):
        await find(provider, Target(conditions=read_filter(KIND, {"label": "front"})), "label")


async def test_many_numbers_are_found_in_few_pages(organization: Organization, calls: Callable[[str], int]) -> None:
    """A thousand numbers of an account that has no others take ten pages."""
    numbers = tuple(number.number for number in organization.close.add_numbers(1000, start="+13035550100"))
    provider = await organization.open()

    found = await find(provider, Target(identifiers=numbers), "label")

    assert len(found) == 1000
    assert calls("GET") == 10


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ({"api_key": "api_right"}, True),
        ({"api_key": "oauth_right", "bearer": True}, True),
        ({"api_key": "oauth_right"}, False),
        ({"api_key": "api_right", "bearer": True}, False),
    ],
)
async def test_each_credential_goes_out_in_its_own_way(
    organization: Organization,
    given: dict[str, Any],
    accepted: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    """An API key is the user of HTTP Basic with an empty password, an access token a bearer."""
    provider = await organization.open(**given)

    if accepted:
        assert await provider.check() == "Close accepts the credentials; they belong to Line Robot."
    else:
        with pytest.raises(Unauthorised):
            await provider.check()


async def test_names_are_read_once_a_minute(organization: Organization, calls: Callable[[str], int]) -> None:
    """Typing letter by letter costs one reading; labels tell people of one name apart."""
    users = [organization.close.add_user("Ana", f"R{each}") for each in range(150)]
    provider = await organization.open()

    for text in ("a", "an", "ana", "ana r149"):
        offered = await provider.choices(KIND, "participants", text)
    names = await provider.labels(KIND, "participants", [users[149].id, "user_gone"])

    assert [(choice.value, choice.label) for choice in offered] == [(users[149].id, "Ana R149 (ana.r149@example.com)")]
    assert names == {users[149].id: "Ana R149 (ana.r149@example.com)"}
    assert calls("GET") == 3  # two pages, and the id that is on neither


async def test_equal_names_are_told_apart(organization: Organization) -> None:
    """Groups of one name, and people who look alike, have their ids behind them."""
    groups = [organization.close.add_group(name) for name in ("Sales", "sales", "Support")]
    people = [organization.close.add_user("Ana", "Reyes", email="ana@example.com") for _ in range(2)]
    provider = await organization.open()

    offered = {each.value: each.label for each in await provider.choices(KIND, "participant_groups", "")}
    ana = await provider.choices(KIND, "participants", "ana")

    assert [offered[group.id] for group in groups] == [f"Sales ({groups[0].id})", f"sales ({groups[1].id})", "Support"]
    assert {each.label.rpartition(" ")[2] for each in ana} == {f"({each.id})" for each in people}
    assert all(len(each.label) <= 75 for each in ana)


async def test_changing_needs_a_place_to_write_runs_down(organization: Organization) -> None:
    """Without one everything can be looked at and nothing is sent."""
    organization.close.add_number("+13035550100")
    async with Close(api_key="api_right", api_url=organization.close.url, runs=None) as provider:
        assert "accepts" in await provider.check()
        with pytest.raises(BadRequest, match="no place to write a run down"):
            await provider.submit(organization.batch(["+13035550100"], label="Night desk"))

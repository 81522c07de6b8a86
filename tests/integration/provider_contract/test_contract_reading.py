"""What every provider promises about finding numbers, and about names."""

from __future__ import annotations

import pytest

from bot.changes.model.filter_fields import read_filter
from bot.changes.model.snapshots import Target
from bot.clients import OFFERS
from bot.errors import Unauthorised, Unavailable
from tests.integration.provider_contract.worlds import World


async def test_a_number_is_found_by_id_and_in_e164_alike(world: World) -> None:
    """Both ways of naming a number give the same snapshot, with the values that were asked for."""
    first, second = world.add(2, "Front desk")

    by_number = await world.find(Target(identifiers=(first,)))
    by_id = await world.find(Target(identifiers=(world.id_of(first),)))

    assert by_number == by_id
    assert [(s.e164, s.id, s.editable, dict(s.values)) for s in by_number] == [
        (first, world.id_of(first), True, {world.text: "Front desk"})
    ]
    assert second != first


@pytest.mark.parametrize("count", [1, 9, 60, 260])
async def test_every_named_number_is_found_once(world: World, count: int) -> None:
    """However many are named, in either form or in both, each comes exactly once."""
    numbers = world.add(count, "Front desk")
    both = [name for e164 in numbers for name in (e164, world.id_of(e164))]

    for identifiers in (tuple(numbers), tuple(map(world.id_of, numbers)), tuple(both)):
        found = await world.find(Target(identifiers=identifiers))

        assert [snapshot.e164 for snapshot in found] == list(numbers)


async def test_a_number_that_is_not_there_is_not_in_the_stream(world: World) -> None:
    """Nothing is made up for a number that the account does not have."""
    (first,) = world.add(1, "Front desk")

    found = await world.find(Target(identifiers=(first, "+13035559999")))

    assert [snapshot.e164 for snapshot in found] == [first]


async def test_no_target_is_no_number(world: World) -> None:
    """An empty target never means every number."""
    world.add(3, "Front desk")

    assert await world.find(Target()) == []


async def test_a_filter_finds_what_it_says(world: World) -> None:
    """The digits asked for are in every number found, and no such number is left out."""
    numbers = world.add(120, "Front desk")
    conditions = read_filter(world.kind, {world.digits: "555011"})

    found = await world.find(Target(conditions=conditions))

    assert [snapshot.e164 for snapshot in found] == [number for number in numbers if "555011" in number]
    assert len(found) == 10


async def test_named_and_found_numbers_are_one_set_without_those_excluded(world: World) -> None:
    """A number that is named and found comes once; one that is excluded never, whichever way it came in."""
    numbers = world.add(30, "Front desk")
    conditions = read_filter(world.kind, {world.digits: "555010"})
    target = Target(
        identifiers=(numbers[0], numbers[20], numbers[21]),
        conditions=conditions,
        excluded=(numbers[1], world.id_of(numbers[21])),
    )

    found = await world.find(target)

    assert [snapshot.e164 for snapshot in found] == [numbers[0], *numbers[2:10], numbers[20]]


async def test_no_more_comes_than_shows_that_the_target_is_too_large(world: World) -> None:
    """With a limit, one more at most."""
    numbers = world.add(40, "Front desk")
    conditions = read_filter(world.kind, {world.digits: "303555"})

    for target in (
        Target(identifiers=tuple(numbers), limit=7),
        Target(conditions=conditions, limit=7),
    ):
        assert len(await world.find(target)) == 8


async def test_ids_have_names_and_names_can_be_searched(world: World) -> None:
    """What a lookup setting can hold is offered by its name; an id that nothing has gets no name."""
    denver, boulder = world.named("Denver desk", "Boulder desk")

    offered = await world.provider.choices(world.kind, world.lookup, "denv")
    names = await world.provider.labels(world.kind, world.lookup, [denver, boulder, "9" * 19])

    assert [(choice.value, choice.label) for choice in offered] == [(denver, "Denver desk")]
    assert names == {denver: "Denver desk", boulder: "Boulder desk"}


async def test_an_id_is_known_by_its_form(world: World) -> None:
    """A provider knows its own ids and takes no phone number for one."""
    (first,) = world.add(1, "Front desk")

    assert world.provider.is_id(world.id_of(first))
    assert not any(world.provider.is_id(text) for text in (first, first[1:], "", "x", f" {world.id_of(first)}"))


async def test_reads_are_repeated_until_they_are_answered(world: World) -> None:
    """A read survives an error of the service and a broken connection."""
    (first,) = world.add(1, "Front desk")
    world.trouble(kind="status", status=503, times=1)
    world.trouble(kind="drop_before", times=1)

    found = await world.find(Target(identifiers=(first,)))

    assert [snapshot.e164 for snapshot in found] == [first]


async def test_a_service_that_is_away_is_unavailable(world: World) -> None:
    """When no answer comes in time, the error says that nothing was changed."""
    (first,) = world.add(1, "Front desk")
    world.trouble(kind="status", status=503, times=None)

    with pytest.raises(Unavailable, match="nothing was changed"):
        await world.find(Target(identifiers=(first,)))


async def test_the_check_says_whose_account_it_is_or_what_is_wrong(world: World) -> None:
    """One call tells a good key from a bad one, and names the provider."""
    said = await world.provider.check()
    stranger = world.wrong_key()
    try:
        with pytest.raises(Unauthorised) as caught:
            await stranger.check()
        assert "_API_KEY" in caught.value.remedy
        assert "_API_KEY" not in caught.value.message
    finally:
        await stranger.aclose()

    assert said.startswith(f"{world.provider.title} accepts")
    assert sum(world.provider.calls.counts().values()) == 1


def test_every_kind_can_be_told_apart() -> None:
    """Names begin with their provider, commands are different, and no kind has two settings of one name."""
    kinds = [kind for offer in OFFERS for kind in offer.kinds]

    assert all(kind.name.startswith(f"{kind.provider}.") for kind in kinds)
    assert len({kind.name for kind in kinds}) == len({kind.command for kind in kinds}) == len(kinds)
    assert all(len(kind.by_name) == len({*kind.settings, *kind.observed, *kind.statuses}) for kind in kinds)


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 407, 422])
async def test_a_page_is_a_gateways_and_never_the_word_on_the_key(world: World, status: int) -> None:
    """At every read, lookups too: whatever status a web page bears, it is told as what stands on the way."""
    (first,) = world.add(1, "Front desk")
    (wanted,) = world.named("Denver")
    world.trouble(kind="gateway", status=status, times=None)

    for reading in (
        world.find(Target(identifiers=(first,))),
        world.provider.check(),
        world.provider.choices(world.kind, world.lookup, "Den"),
        world.provider.labels(world.kind, world.lookup, [wanted]),
    ):
        with pytest.raises(Unavailable) as caught:
            await reading

        assert f"the answer ({status}) is a web page, so it comes from a proxy or gateway" in caught.value.message
        assert "credentials" not in caught.value.message
        assert not isinstance(caught.value, Unauthorised)

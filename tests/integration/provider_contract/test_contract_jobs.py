"""What every provider promises about jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import ProviderNotFound
from bot.providers.base import JobReport
from tests.integration.provider_contract.worlds import World


def long_ago() -> datetime:
    """Return a moment before the test."""
    return datetime.now(UTC) - timedelta(minutes=1)


def places(job: JobReport) -> list[str]:
    """Return every entry of the three lists."""
    return sorted(one.id for one in (*job.succeeded, *job.failed, *job.pending))


async def test_a_job_changes_exactly_its_numbers(world: World) -> None:
    """At its end every number of the batch has the value, and no other number has."""
    numbers = world.add(5, "Front desk")

    created = await world.provider.submit(world.batch(numbers[:3], "Night desk"))
    done = await world.end(created)

    assert created.id == done.id
    assert not created.state.over
    assert sorted(one.e164 for one in done.succeeded) == list(numbers[:3])
    assert (done.failed, done.pending) == ((), ())
    assert [world.text_of(number) for number in numbers] == ["Night desk"] * 3 + ["Front desk"] * 2


async def test_a_job_names_every_number_once(world: World) -> None:
    """From its creation to its end each number is in exactly one of the three lists."""
    numbers = world.add(4, "Front desk")
    world.spoil(numbers[1], "It is taken.")
    ids = sorted(map(world.id_of, numbers))

    created = await world.provider.submit(world.batch(numbers, "Night desk"))
    done = await world.end(created)

    assert created.numbers == done.numbers == frozenset(ids)
    assert places(created) == places(done) == ids


async def test_a_refused_number_fails_alone_and_says_why(world: World) -> None:
    """The provider's own words reach the report; the other numbers are changed."""
    numbers = world.add(3, "Front desk")
    world.spoil(numbers[1], "It is taken.")

    done = await world.end(await world.provider.submit(world.batch(numbers, "Night desk")))

    assert [one.e164 for one in done.failed] == [numbers[1]]
    assert "It is taken." in done.failed[0].reason
    assert done.failed[0].attempted
    assert sorted(one.e164 for one in done.succeeded) == [numbers[0], numbers[2]]
    assert [world.text_of(number) for number in numbers] == ["Night desk", "Front desk", "Night desk"]


async def test_a_running_job_says_when_it_will_be_done(world: World) -> None:
    """The estimate is an aware time."""
    numbers = world.add(3, "Front desk")

    created = await world.provider.submit(world.batch(numbers, "Night desk"))

    assert created.done_by is not None
    assert created.done_by.utcoffset() == timedelta(0)


async def test_a_batch_finds_its_own_job_and_no_other(world: World) -> None:
    """After an unanswered submission the job is found again, whatever else is there."""
    numbers = world.add(4, "Front desk")
    mine, other = world.batch(numbers[:2], "Night desk"), world.batch(numbers[2:], "Night desk")
    await world.provider.submit(other)
    assert (await world.provider.search(mine, long_ago())).jobs == ()

    created = await world.provider.submit(mine)
    found = (await world.provider.search(mine, long_ago())).jobs

    assert [job.id for job in found] == [created.id]


async def test_a_job_that_nobody_made_is_missing(world: World) -> None:
    """Asking for it is an error that says so."""
    with pytest.raises(ProviderNotFound):
        await world.provider.poll("00000000-0000-4000-8000-000000000000")

"""A freeze and a stop, as a run meets them: between two numbers, and never with a number left in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.changes.model.bulk_runs import NumberState, Step
from bot.changes.model.locks import Freeze
from bot.changes.outcome.outcomes import STALE, STOPPED, UNANSWERED
from bot.providers.base import JobReport
from bot.providers.close.execution import WIDTH
from tests.integration.provider_close.conftest import Organization, over
from tests.integration.provider_close.test_close_runs import put_off


async def freeze(organization: Organization) -> None:
    """Freeze submissions."""
    async with organization.database.transaction() as tx:
        await tx.freezes.add(Freeze(by="U0OTTO", reason="maintenance", at=organization.clock()))


async def unfreeze(organization: Organization) -> None:
    """Lift the freeze as operators do."""
    async with organization.database.transaction() as tx:
        await tx.freezes.lift("U0OTTO", organization.clock())
        await tx.runs.hasten(organization.clock())


async def call_off(organization: Organization, reference: str) -> None:
    """Stop a run as whoever cancels a change does."""
    async with organization.database.transaction() as tx:
        now = organization.clock()
        await tx.runs.call_off("close", [reference], code="linesman.stopped", reason="Cancelled.", now=now)


async def states(organization: Organization, job: JobReport) -> list[NumberState]:
    """Return the states of the run's numbers."""
    run = await organization.book.read(job.id)
    assert run is not None
    return [number.state for number in run.numbers]


async def until(organization: Organization, job: JobReport, state: NumberState, count: int) -> None:
    """Wait until so many numbers of the run are in ``state``."""
    async with asyncio.timeout(60):
        while (await states(organization, job)).count(state) != count:  # noqa: ASYNC110 - rows signal nobody
            await asyncio.sleep(0.01)


async def test_another_replica_takes_up_nothing_of_a_frozen_run(
    organization: Organization, calls: Callable[[str], int]
) -> None:
    """Whoever claims it finds the freeze before anything goes out, and does it all once it is lifted."""
    numbers = [number.number for number in organization.close.add_numbers(40, start="+13035550100")]
    held = organization.close.faults.add(method="PUT", kind="hold", times=None)
    one = await organization.open()
    job = await one.submit(organization.batch(numbers, label="Night desk"))
    await organization.close.wait_for(lambda: calls("PUT") == WIDTH)
    await freeze(organization)
    held.let_go()
    await until(organization, job, NumberState.SUCCEEDED, WIDTH)
    await one.aclose()

    other = await organization.open()
    for _ in range(3):
        organization.clock.skipped += 60
        await other.poll(job.id)
        await asyncio.sleep(0.1)
    assert calls("PUT") == WIDTH

    await unfreeze(organization)
    done = await over(other, await other.poll(job.id))
    assert len(done.succeeded) == len(organization.updates()) == 40


async def test_what_was_in_doubt_is_looked_at_during_a_freeze_and_not_sent_again(
    organization: Organization, calls: Callable[[str], int]
) -> None:
    """Reading changes nothing: what arrived has its outcome, what did not waits for the end of the freeze."""
    numbers = [number.number for number in organization.close.add_numbers(2, start="+13035550100")]
    arrived, lost = (organization.close.number(number).id for number in numbers)
    organization.close.faults.add(
        method="PUT", path=f"/phone_number/{arrived}/", kind="status", status=502, effect_first=True
    )
    organization.close.faults.add(method="PUT", path=f"/phone_number/{lost}/", kind="status", status=502)
    frozen = asyncio.Event()

    async def sleep(seconds: float) -> None:
        """Freeze before anything is tried again."""
        organization.slept.append(seconds)
        if not frozen.is_set():
            frozen.set()
            await freeze(organization)
        await asyncio.sleep(0)

    provider = await organization.open(sleep=sleep)
    job = await provider.submit(organization.batch(numbers, label="Night desk"))
    await until(organization, job, NumberState.SUCCEEDED, 1)
    assert await states(organization, job) == [NumberState.SUCCEEDED, NumberState.SENT]
    assert calls("PUT") == 2
    await put_off(organization, job.id)

    await unfreeze(organization)
    done = await over(provider, job)
    assert len(done.succeeded) == len(organization.updates()) == 2


async def test_what_is_in_doubt_when_a_run_is_stopped_is_told_as_that(organization: Organization) -> None:
    """It was sent and reads as before: it is neither called unattempted nor sent again."""
    numbers = [number.number for number in organization.close.add_numbers(1, start="+13035550100")]
    organization.close.faults.add(method="PUT", kind="status", status=502)
    stopped = asyncio.Event()
    batch = organization.batch(numbers, label="Night desk")

    async def sleep(seconds: float) -> None:
        """Stop the run before anything is tried again."""
        organization.slept.append(seconds)
        if not stopped.is_set():
            stopped.set()
            await call_off(organization, batch.reference)

    provider = await organization.open(sleep=sleep)
    done = await over(provider, await provider.submit(batch))

    (failed,) = done.failed
    assert (failed.attempted, failed.known, failed.code) == (True, False, "linesman.unanswered")
    assert "Its update was sent and got no clear answer" in failed.reason
    assert "Cancelled." not in failed.reason  # the reason of those that were not sent
    assert organization.updates() == []


async def test_what_close_told_to_wait_is_unsent_when_the_run_is_stopped(organization: Organization) -> None:
    """A 429 was not carried out: however long the wait is, the run is over at once."""
    numbers = [number.number for number in organization.close.add_numbers(3, start="+13035550100")]
    organization.close.faults.add(method="PUT", kind="rate_limited", reset=3600, times=None)
    waiting = asyncio.Event()
    batch = organization.batch(numbers, label="Night desk")

    async def sleep(seconds: float) -> None:  # noqa: ARG001 - for ever, whatever is asked
        waiting.set()
        await asyncio.Event().wait()

    provider = await organization.open(sleep=sleep)
    job = await provider.submit(batch)
    await waiting.wait()
    await until(organization, job, NumberState.WAITING, 3)
    await call_off(organization, batch.reference)

    done = await provider.poll(job.id)

    assert done.state.over
    assert {(one.attempted, one.code) for one in done.failed} == {(False, "linesman.stopped")}


async def test_a_jump_of_the_clock_gives_a_run_to_nobody_twice(
    organization: Organization, calls: Callable[[str], int]
) -> None:
    """One's own claims look like a dead owner's then; the numbers are sent once all the same."""
    numbers = [number.number for number in organization.close.add_numbers(30, start="+13035550100")]
    held = organization.close.faults.add(method="PUT", kind="hold", times=None)
    provider = await organization.open()
    job = await provider.submit(organization.batch(numbers, label="Night desk"))
    await organization.close.wait_for(lambda: calls("PUT") == WIDTH)

    organization.clock.skipped += 3600
    await provider.poll(job.id)
    await asyncio.sleep(0.1)
    held.let_go()
    done = await over(provider, job)

    assert len(done.succeeded) == 30
    assert calls("PUT") == 30


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_stale_number_of_a_process_that_died_leaves_nothing_in_doubt(
    organization: Organization, calls: Callable[[str], int], *, arrived: bool
) -> None:
    """What was sent before is looked at and not sent again, the rest is not attempted, and the run is over."""
    numbers = [number.number for number in organization.close.add_numbers(3, start="+13035550100")]
    await freeze(organization)
    first = await organization.open()
    job = await first.submit(organization.batch(numbers, label="Night desk"))
    await first.aclose()
    await organization.book.claim("died", limit=1)
    stale = Step(position=1, state=NumberState.NOT_ATTEMPTED, code=STALE, reason="It changed.")
    await organization.book.note(job.id, "died", [Step(position=0, state=NumberState.SENT), stale])
    await organization.book.release("died")
    await unfreeze(organization)
    if arrived:
        organization.close.number(numbers[0]).label = "Night desk"

    provider = await organization.open()
    done = await over(provider, await provider.poll(job.id))

    told = {one.e164: (one.code, one.attempted) for one in done.failed}
    assert told.pop(numbers[0], None) == (None if arrived else (UNANSWERED, True))
    assert told == {numbers[1]: (STALE, False), numbers[2]: (STOPPED, False)}
    assert len(done.succeeded) == arrived
    assert calls("PUT") == 0


async def test_a_freeze_that_is_lifted_while_doubts_are_looked_at_makes_nothing_wait(
    organization: Organization, calls: Callable[[str], int]
) -> None:
    """Whoever lifts it finds the run held; it goes on all the same as soon as the look is over."""
    numbers = [number.number for number in organization.close.add_numbers(2, start="+13035550100")]
    await freeze(organization)
    first = await organization.open()
    job = await first.submit(organization.batch(numbers, label="Night desk"))
    await first.aclose()
    await organization.book.claim("died", limit=1)
    await organization.book.note(job.id, "died", [Step(position=0, state=NumberState.SENT)])
    await organization.book.put_off(job.id, "died", 0)
    held = organization.close.faults.add(method="GET", kind="hold", times=None)
    before = calls("GET")

    provider = await organization.open()
    await provider.poll(job.id)
    await organization.close.wait_for(lambda: calls("GET") > before)
    await unfreeze(organization)
    held.let_go()
    done = await over(provider, job)

    assert len(done.succeeded) == 2


async def test_what_was_sent_and_is_gone_since_is_not_called_unattempted(organization: Organization) -> None:
    """Nobody can say whether the update of a number that was deleted afterwards took effect."""
    numbers = [number.number for number in organization.close.add_numbers(1, start="+13035550100")]
    organization.close.faults.add(method="PUT", kind="status", status=502)

    async def sleep(seconds: float) -> None:
        """Delete the number before anything is tried again."""
        organization.slept.append(seconds)
        if organization.close.numbers:
            organization.close.remove_number(numbers[0])
        await asyncio.sleep(0)

    provider = await organization.open(sleep=sleep)
    done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))

    (failed,) = done.failed
    assert (failed.attempted, failed.code) == (True, "linesman.unanswered")
    assert "It is no longer in the account. It was sent once, got no clear answer" in failed.reason

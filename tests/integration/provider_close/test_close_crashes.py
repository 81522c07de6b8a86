"""A process that dies at any moment: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import httpx
import pytest

from bot.errors import Superseded
from bot.providers.close.provider import Close
from bot.providers.runs import Runs
from bot.sandbox.close import User
from tests.integration.provider_close.conftest import Organization, over

Answer = TypeVar("Answer")
#: More than the moments of a run over the numbers below; the last ones come after its end.
MOMENTS = 40


class Life:
    """Counts the moments at which a process touches the world, and ends it at one of them."""

    def __init__(self, moments: int) -> None:
        self._left = moments
        self._busy = 0
        self.over = asyncio.Event()

    async def moment(self) -> None:
        """Go on, or never again: a dead process does not even raise."""
        if self._left <= 0:
            self.over.set()
            await asyncio.Event().wait()
        self._left -= 1

    async def around(self, doing: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do something with a moment before and one after."""
        await self.moment()
        self._busy += 1
        try:
            done = await doing()
        finally:
            self._busy -= 1
        await self.moment()
        return done

    async def end(self) -> None:
        """End the process now, if it has not ended; what it had asked of the world happens, or has happened."""
        self._left = 0
        while self._busy:  # noqa: ASYNC110 - what is counted signals nobody
            await asyncio.sleep(0.005)


class MortalRuns:
    """The runs, as a process sees them that dies."""

    def __init__(self, runs: Any, life: Life) -> None:
        self._runs = runs
        self._life = life

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*given: Any, **named: Any) -> Any:
            return await self._life.around(lambda: getattr(self._runs, name)(*given, **named))

        return call


class MortalTransport(httpx.AsyncBaseTransport):
    """The wire, as a process sees it that dies."""

    def __init__(self, life: Life) -> None:
        self._wire = httpx.AsyncHTTPTransport()
        self._life = life

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, unless it is too late; the answer may never be seen."""

        async def send() -> httpx.Response:
            response = await self._wire.handle_async_request(request)
            await response.aread()
            return response

        return await self._life.around(send)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()


async def buried(provider: Close, life: Life, before: set[asyncio.Task[Any]]) -> None:
    """Take away what is left of a process."""
    await life.end()
    left = asyncio.all_tasks() - before
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await provider._http.client.aclose()


def furnished(organization: Organization) -> tuple[list[str], list[User]]:
    """Give the organization numbers with one participant, and two people."""
    users = [organization.close.add_user(name, "X") for name in ("Ana", "Ben")]
    numbers = organization.close.add_numbers(4, start="+13035550100", participants=[users[0].id])
    return [number.number for number in numbers], users


@pytest.mark.parametrize("setting", ["label", "participants"])
@pytest.mark.parametrize("moments", range(MOMENTS))
async def test_a_process_that_dies_at_any_moment_loses_and_doubles_nothing(
    organization: Organization, moments: int, setting: str
) -> None:
    """Wherever the first process stops, the second one ends the run, and each number was updated exactly once."""
    numbers, users = furnished(organization)
    value = "Night desk" if setting == "label" else (users[0].id, users[1].id)
    batch = organization.batch(numbers, **{setting: value})
    organization.close.fail(numbers[2], field="label", text="No.")
    life, before = Life(moments), asyncio.all_tasks()
    runs = cast("Runs", MortalRuns(organization.book, life))
    doomed = organization.make(runs=runs, transport=MortalTransport(life))
    submitting = asyncio.create_task(_followed(doomed, batch))
    dying = asyncio.create_task(life.over.wait())
    await asyncio.wait({submitting, dying}, return_when=asyncio.FIRST_COMPLETED)
    await buried(doomed, life, before)

    later = await organization.open()
    done = await over(later, await later.submit(batch))

    assert sorted(one.e164 for one in done.succeeded) == [numbers[0], numbers[1], numbers[3]]
    # It is refused each time, which says nothing about an earlier update that the process did not live to see answered.
    assert [(one.e164, one.code, one.known) for one in done.failed] in (
        [(numbers[2], "400", True)],
        [(numbers[2], "linesman.unclear_response", False)],
    )
    assert sorted(number for number, _ in organization.updates()) == [numbers[0], numbers[1], numbers[3]]


async def _followed(provider: Close, batch: Any) -> None:
    await over(provider, await provider.submit(batch))


async def test_two_replicas_never_carry_one_run_out_at_once(organization: Organization) -> None:
    """Of two providers on one book one claims a run; the other leaves it alone, also while it polls it."""
    numbers = [number.number for number in organization.close.add_numbers(60, start="+13035550100")]
    book = organization.book
    one, other = await organization.open(runs=book), await organization.open(runs=book)
    batch = organization.batch(numbers, label="Night desk")

    first, second = await asyncio.gather(one.submit(batch), other.submit(batch))
    done, same = await asyncio.gather(over(one, first), over(other, second))

    assert len(done.succeeded) == len(same.succeeded) == 60
    assert sum(call.method == "PUT" for call in organization.close.calls) == 60


async def test_who_lost_a_run_sends_nothing_more(organization: Organization) -> None:
    """A mark that cannot be made because somebody else holds the run is a request that is not sent."""
    numbers = [number.number for number in organization.close.add_numbers(3, start="+13035550100")]
    book = organization.book

    class Robbed:
        """The runs of a process that slept through its claim."""

        def __getattr__(self, name: str) -> Any:
            return getattr(book, name)

        async def note(self, run: str, owner: str, steps: Any, **sending: Any) -> Any:
            async with organization.database.transaction() as tx:
                await tx.runs.release(owner)
            return await book.note(run, owner, steps, **sending)

    slept = await organization.open(runs=cast("Runs", Robbed()))
    job = await slept.submit(organization.batch(numbers, label="Night desk"))
    await asyncio.sleep(0.2)
    await slept.aclose()
    assert [call for call in organization.close.calls if call.method == "PUT"] == []
    with pytest.raises(Superseded):
        await book.note(job.id, "somebody", [])

    later = await organization.open()
    done = await over(later, await later.poll(job.id))

    assert len(done.succeeded) == len(organization.updates()) == 3


async def test_closing_in_the_middle_leaves_every_number_done_or_not_begun(organization: Organization) -> None:
    """What is under way may end, nothing new begins, and the next process goes on at once."""
    numbers = [number.number for number in organization.close.add_numbers(200, start="+13035550100")]
    provider = await organization.open()
    job = await provider.submit(organization.batch(numbers, label="Night desk"))
    await organization.close.wait_for(lambda: len(organization.close.updates) >= 20)

    async with asyncio.timeout(60):  # it ends of its own accord; this is only for the day when it does not
        await provider.aclose()

    changed = len(organization.close.updates)
    run = await organization.book.read(job.id)
    assert run is not None
    assert changed < 200
    assert sum(number.state.over for number in run.numbers) == changed
    later = await organization.open()
    done = await over(later, await later.poll(job.id))
    assert len(done.succeeded) == len(organization.updates()) == 200


async def test_closing_does_not_wait_for_a_slow_answer(organization: Organization) -> None:
    """A request without an answer is cut off; its number is marked, so the next process looks first."""
    organization.close.add_number("+13035550100", label="Front desk")
    organization.close.faults.add(method="PUT", kind="delay", seconds=30)
    provider = Close(api_key=organization.close.api_key, api_url=organization.close.url, runs=organization.book)
    job = await provider.submit(organization.batch(["+13035550100"], label="Night desk"))
    await organization.close.wait_for(lambda: organization.close.updates)

    async with asyncio.timeout(60):  # it ends of its own accord; this is only for the day when it does not
        await provider.aclose()

    later = await organization.open()
    done = await over(later, await later.poll(job.id))
    assert len(done.succeeded) == len(organization.updates()) == 1

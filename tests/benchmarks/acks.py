"""How soon clicks are acknowledged while there is much to do."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.sandbox.slack import SlackUser
from tests.benchmarks.carrier import WANTED, Carrier, Terms, numbers
from tests.benchmarks.office import APPROVALS, OPS, PATIENCE, Office, csv_of, office, plan
from tests.benchmarks.steps import Step, longest

#: People who click, and seconds between two clicks of one of them.
PEOPLE: Final = 200
PAUSE: Final = 10.0
#: Jobs that are under way and watched: as many as Telnyx works on at once, which it does for emergency service only.
WATCHED: Final = 500
PLANNED: Final = 100_000
JOB: Final = "POST /phone_numbers/jobs/update_emergency_settings"


#: Seconds for which people click before anything is planned.
BEFORE: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Acks:
    """Milliseconds until Slack had an answer to each click; after three seconds it gives up."""

    #: While only jobs were watched, and while a plan was made and approval of it requested.
    before: list[float]
    during: list[float]
    #: The one click with which approval of all numbers was requested.
    request: float
    #: Seconds that the plan took meanwhile, and the step of the loop that held everything else up for longest then.
    plan: float
    held: Step | None


async def measure(count: int = PLANNED) -> Acks:
    """Let people click while jobs are watched, ``count`` numbers are planned and approval of them is requested."""
    terms = Terms(numbers=WATCHED + count, job_seconds=PATIENCE, number_seconds=0.0)
    names = [f"U0P{at:03}" for at in range(PEOPLE)]
    with tempfile.TemporaryDirectory() as folder:
        async with Carrier(terms) as carrier, office(carrier.url, Path(folder), people=names) as here:
            await _set_jobs_going(here, carrier)
            # Written before anybody clicks: it would hold up Slack's stand-in, by which the acks are timed.
            rows = ((number, WANTED) for number in numbers(terms.numbers)[WATCHED:])
            sheet = csv_of(("number", "customer_reference"), *rows)
            before, during = list[float](), list[float]()
            async with _clicking(here, names, before):
                await asyncio.sleep(BEFORE)
            async with _clicking(here, names, during):
                began, since = time.perf_counter(), time.time()
                await plan(here.ana, "update", sheet)
                planned = time.perf_counter() - began
                asked = len(here.slack.messages(APPROVALS))
                request = (await here.ana.submit()).delivery
                if request.error:
                    raise RuntimeError(f"the request was not acknowledged: {request.error}")
                await here.slack.wait_for(
                    lambda: len(here.slack.messages(APPROVALS)) > asked, timeout=PATIENCE, what="the request"
                )
            held = longest(here.steps, since=since)
            return Acks(before=before, during=during, request=request.seconds * 1000, plan=planned, held=held)


@asynccontextmanager
async def _clicking(here: Office, names: Sequence[str], taken: list[float]) -> AsyncIterator[None]:
    """Let people click while the block lasts, and note in ``taken`` how long each ack took."""
    people = [here.slack.person(name) for name in names]
    clicking = [asyncio.create_task(_click(person, at, taken)) for at, person in enumerate(people)]
    try:
        yield
    finally:
        for each in clicking:
            each.cancel()
        for each in clicking:
            with suppress(asyncio.CancelledError):
                await each


async def _set_jobs_going(here: Office, carrier: Carrier) -> None:
    """Let every one of the first numbers become a job of its own, by an address of its own."""
    addresses = await carrier.addresses(WATCHED)
    rows = zip(numbers(WATCHED), ["on"] * WATCHED, addresses, strict=True)
    await plan(here.ana, "emergency", csv_of(("number", "emergency service", "emergency address"), *rows))
    await here.ana.submit()
    await here.slack.wait_for(lambda: here.slack.messages(APPROVALS), timeout=PATIENCE, what="the request")
    await carrier.begin()
    await here.mia.click("approve", message=here.slack.messages(APPROVALS)[0])
    while (await carrier.seen()).calls.get(JOB, 0) < WATCHED:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.5)
    while await here.has_undelivered():  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.1)


async def _click(person: SlackUser, at: int, taken: list[float]) -> None:
    """Click again and again, each person at another moment, and note how long the ack took."""
    await asyncio.sleep(PAUSE * at / PEOPLE)
    while True:
        for text in ("help", "list", ""):
            began = time.perf_counter()
            delivery = await (person.command("/numbers", text, channel=OPS) if text else person.open_home())
            taken.append(delivery.seconds * 1000)
            await asyncio.sleep(max(PAUSE - (time.perf_counter() - began), 0.0))

"""The scripts. Each gives every number the wanted value and returns how many it takes for changed.

They retry as the SDK does by itself (twice, with growing pauses), and read back what they have done. What they do not
do is what nobody writes for one evening: look whether a number has changed since, search for a job whose answer was
lost, or go on after they were killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from telnyx import APIError, AsyncTelnyx

from tests.benchmarks.carrier import WANTED

Script = Callable[[AsyncTelnyx, Sequence[str]], Awaitable[int]]
#: Numbers of a job at most, and seconds between two polls of one.
JOB: Final = 1000
POLL: Final = 5.0
#: Numbers on a page when they are read back.
PAGE: Final = 250


async def one_by_one(client: AsyncTelnyx, ids: Sequence[str]) -> int:
    """One PATCH for each number, one after the other."""
    return await _patched(client, ids, at_once=1)


async def ten_at_once(client: AsyncTelnyx, ids: Sequence[str]) -> int:
    """One PATCH for each number, ten at a time."""
    return await _patched(client, ids, at_once=10)


async def jobs_one_by_one(client: AsyncTelnyx, ids: Sequence[str]) -> int:
    """Bulk jobs, one after the other."""
    return await _in_jobs(client, ids, at_once=1)


async def jobs_twenty_at_once(client: AsyncTelnyx, ids: Sequence[str]) -> int:
    """Bulk jobs, 20 in flight, which is what Telnyx allows."""
    return await _in_jobs(client, ids, at_once=20)


SCRIPTS: Final[dict[str, Script]] = {
    "one PATCH after the other": one_by_one,
    "10 PATCHes at once": ten_at_once,
    "job after job": jobs_one_by_one,
    "20 jobs at once": jobs_twenty_at_once,
}


async def _patched(client: AsyncTelnyx, ids: Sequence[str], *, at_once: int) -> int:
    turns = asyncio.Semaphore(at_once)

    async def patch(number: str) -> None:
        async with turns:
            try:
                await client.phone_numbers.update(number, customer_reference=WANTED)
            except APIError:
                return  # it shows in the read-back

    await asyncio.gather(*(patch(number) for number in ids))
    return await _read_back(client)


async def _in_jobs(client: AsyncTelnyx, ids: Sequence[str], *, at_once: int) -> int:
    turns = asyncio.Semaphore(at_once)

    async def carry(numbers: Sequence[str]) -> None:
        async with turns:
            try:
                job = (
                    await client.phone_numbers.jobs.update_batch(phone_numbers=list(numbers), customer_reference=WANTED)
                ).data
                while job is not None and job.id and job.status in {"pending", "in_progress"}:
                    await asyncio.sleep(POLL)
                    job = (await client.phone_numbers.jobs.retrieve(job.id)).data
            except APIError:
                return  # it shows in the read-back

    await asyncio.gather(*(carry(ids[start : start + JOB]) for start in range(0, len(ids), JOB)))
    return await _read_back(client)


async def _read_back(client: AsyncTelnyx) -> int:
    """Return how many numbers have the wanted value now."""
    changed = 0
    async for number in client.phone_numbers.list(page_size=PAGE):
        changed += number.customer_reference == WANTED
    return changed

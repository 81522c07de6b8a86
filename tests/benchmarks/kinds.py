"""The calls of every kind of change, by a list of numbers and by a filter, beside the fewest that could do.

Calls count from the form on: what the plan reads, and everything after the approval.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

from bot.sandbox.slack import View
from tests.benchmarks.carrier import WANTED, Carrier, Terms, numbers
from tests.benchmarks.linesman import results
from tests.benchmarks.office import APPROVALS, OPS, PATIENCE, Office, csv_of, office, planned
from tests.filling import fill

SIZES: Final = (2_000, 20_000)
#: Command of ``/numbers`` -> the last part of the path under which Telnyx makes its jobs.
JOBS: Final = {
    "update": "update_phone_numbers",
    "emergency": "update_emergency_settings",
    "delete": "delete_phone_numbers",
}
WAYS: Final = ("list", "filter")
#: Numbers of a job and of an ownership check, and of a page.
JOB: Final = 1000
PAGE: Final = 250
_RULES: Final = '[[rule]]\nname = "deletions"\nkinds = ["telnyx.delete"]\nallow = true\napprovals_required = 1\n'


@dataclass(frozen=True, kw_only=True)
class Calls:
    """The calls of one change."""

    command: str
    #: How the numbers were given: one of :data:`WAYS`.
    way: str
    numbers: int
    #: Call -> how often it was made.
    made: Mapping[str, int]
    #: Numbers that the results report as verified.
    verified: int

    @property
    def least(self) -> Mapping[str, int]:
        """Call -> how often it is needed.

        Numbers are read for the plan, just before their jobs and after them, and each of the first two times it is
        asked whether they can be changed. What is deleted is on no page afterwards: one says that there are none, and
        the ownership check that it is so.
        """
        pages, jobs, deletes = ceil(self.numbers / PAGE), ceil(self.numbers / JOB), self.command == "delete"
        return {
            "GET /phone_numbers": 2 * pages + (1 if deletes else pages),
            "GET /phone_numbers/jobs/{id}": jobs,
            "POST /phone_numbers/actions/verify_ownership": (3 if deletes else 2) * jobs,
            f"POST /phone_numbers/jobs/{JOBS[self.command]}": jobs,
        }

    @property
    def ratio(self) -> float:
        """How many calls were made for each one that is needed."""
        return sum(self.made.values()) / sum(self.least.values())


async def measure(sizes: tuple[int, ...] = SIZES) -> list[Calls]:
    """Have changes of every kind and size carried through, and count their calls."""
    return [await _carry(command, way, size) for size in sizes for command in JOBS for way in WAYS]


async def _carry(command: str, way: str, count: int) -> Calls:
    """Let Ana ask for the change and Mia approve it."""
    terms = Terms(numbers=count, job_seconds=3.0, number_seconds=0.0)
    with tempfile.TemporaryDirectory() as folder:
        async with Carrier(terms) as carrier, office(carrier.url, Path(folder), rules=_RULES) as here:
            settings = await _settings(command, carrier)
            await carrier.begin()
            await here.ana.command("/numbers", command, channel=OPS)
            await here.ana.wait_for_view(lambda view: view.callback_id == "change_form")
            if way == "list":
                rows = ((number, *settings.values()) for number in numbers(count))
                await here.ana.attach("sheet:0", ("numbers.csv", csv_of(("number", *settings), *rows)))
                await here.ana.type("reason", "A benchmark")
            else:
                await fill(here.ana, None, settings, filters={"tag": WANTED}, besides={"reason": "A benchmark"})
            await _requested(here, count)
            await here.mia.click("approve", message=here.slack.messages(APPROVALS)[0])
            await here.slack.wait_for(lambda: results(here.slack), timeout=PATIENCE, what="the results")
            verified = sum(row["outcome"] == "verified" for row in results(here.slack))
            return Calls(command=command, way=way, numbers=count, made=(await carrier.seen()).calls, verified=verified)


async def _settings(command: str, carrier: Carrier) -> Mapping[str, str]:
    """Return what the change sets."""
    if command == "update":
        return {"customer_reference": WANTED}
    if command == "emergency":
        (address,) = await carrier.addresses(1)
        return {"emergency_enabled": "true", "emergency_address_id": address}
    return {}


async def _requested(here: Office, count: int) -> None:
    """Send the form and ask for approval of the plan."""
    await here.ana.submit()
    shown = await here.ana.wait_for_view(planned, timeout=PATIENCE)
    if not shown.content.get("submit"):
        raise RuntimeError(f"there is no plan: {shown.content}")
    if _counted(shown):
        await here.ana.type("count", str(count))
    await here.ana.submit()
    await here.slack.wait_for(lambda: here.slack.messages(APPROVALS), timeout=PATIENCE, what="the request")
    while await here.has_undelivered():  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.1)


def _counted(view: View) -> bool:
    return any(block["block_id"] == "count" for block in view.blocks)

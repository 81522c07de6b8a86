"""A change carried through by Linesman, from the sheet to the final card."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
import time
from pathlib import Path

from bot.sandbox.slack import SlackStandIn
from tests.benchmarks.carrier import WANTED, Carrier, numbers
from tests.benchmarks.measure import Run, cpu_of, memory_of
from tests.benchmarks.office import APPROVALS, PATIENCE, Office, csv_of, office, plan
from tests.benchmarks.steps import longest


async def carry(carrier: Carrier) -> Run:
    """Let Ana ask for the change by a sheet and Mia approve it; return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        async with office(carrier.url, Path(folder)) as here:
            began, asked = cpu_of(here.pid), time.time()
            phases = await _asked_for(here, carrier.terms.numbers)
            used = cpu_of(here.pid)
            await carrier.begin()
            approved = time.time()
            await here.mia.click("approve", message=here.slack.messages(APPROVALS)[0])
            await here.slack.wait_for(lambda: results(here.slack), timeout=PATIENCE, what="the results")
            while await here.has_undelivered():  # noqa: ASYNC110 - another process counts
                await asyncio.sleep(0.02)
            ended = time.time()
            seen = await carrier.seen()
            phases |= {
                name: at - approved
                for name, at in (
                    ("first job", seen.first_job),
                    ("last job", seen.last_job),
                    ("last job over", seen.last_job_over),
                    ("read back", seen.last_read),
                    ("final card", ended),
                )
                if at is not None
            }
            return Run(
                who="linesman",
                terms=carrier.terms,
                seconds=ended - approved,
                plan_cpu=used - began,
                cpu=cpu_of(here.pid) - used,
                memory=memory_of(here.pid),
                seen=seen,
                claimed=sum(row["outcome"] == "verified" for row in results(here.slack)),
                phases=phases,
                held=longest(here.steps, since=asked),
            )


async def _asked_for(here: Office, count: int) -> dict[str, float]:
    """Upload the sheet and ask for approval; return how long the plan and the request took."""
    began = time.time()
    await plan(
        here.ana, "update", csv_of(("number", "customer_reference"), *((number, WANTED) for number in numbers(count)))
    )
    planned = time.time()
    await here.ana.submit()
    await here.slack.wait_for(lambda: here.slack.messages(APPROVALS), timeout=PATIENCE, what="the request")
    return {"plan": planned - began, "request": time.time() - planned}


def results(slack: SlackStandIn) -> list[dict[str, str]]:
    """Return the rows of the results, once they are in the thread."""
    for file in slack.files:
        if file.name.endswith("-results.csv") and file.channel:
            return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    return []

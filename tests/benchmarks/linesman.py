"""A change carried through by Linesman, from the sheet to the final card."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bot.sandbox.slack import SlackStandIn, SlackUser, View
from tests.acceptance.process import Serving
from tests.acceptance.stage import free_port
from tests.benchmarks.carrier import API_KEY, WANTED, Carrier, numbers
from tests.benchmarks.measure import Run, cpu_of, memory_of

BOT_TOKEN: Final = "xoxb-benchmark-1"
SECRET: Final = "signing-secret-of-the-benchmark"
OPS: Final = "C0OPS"
APPROVALS: Final = "C0APPROVALS"
#: What is yet to be delivered: the last of it is the final card.
_UNDONE: Final = re.compile(r"^linesman_outbox_undelivered [1-9]", re.MULTILINE)
#: Seconds that the longest phase may take.
PATIENCE: Final = 3600.0


async def carry(carrier: Carrier) -> Run:
    """Let Ana ask for the change by a sheet and Mia approve it; return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        async with _office(carrier, Path(folder)) as (slack, serving):
            ana, mia = slack.person("U0ANA"), slack.person("U0MIA")
            phases = await _asked_for(ana, slack, carrier.terms.numbers)
            pid = _pid(serving)
            used = cpu_of(pid)
            await carrier.begin()
            approved = time.time()
            await mia.click("approve", message=slack.messages(APPROVALS)[0])
            await slack.wait_for(lambda: _results(slack), timeout=PATIENCE, what="the results")
            while _UNDONE.search((await serving.read("/metrics"))[1]):  # noqa: ASYNC110 - another process counts
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
                cpu=cpu_of(pid) - used,
                memory=memory_of(pid),
                seen=seen,
                claimed=_verified(slack),
                phases=phases,
            )


async def _asked_for(ana: SlackUser, slack: SlackStandIn, count: int) -> dict[str, float]:
    """Upload the sheet and ask for approval; return how long the plan and the request took."""
    await ana.command("/numbers", "update", channel=OPS)
    await ana.wait_for_view(lambda view: view.callback_id == "change_form")
    await ana.attach("sheet:0", ("numbers.csv", _sheet(count)))
    await ana.type("reason", "A benchmark")
    began = time.time()
    await ana.submit()
    await ana.wait_for_view(_planned, timeout=PATIENCE)
    planned = time.time()
    await ana.submit()
    await slack.wait_for(lambda: slack.messages(APPROVALS), timeout=PATIENCE, what="the request")
    return {"plan": planned - began, "request": time.time() - planned}


@asynccontextmanager
async def _office(carrier: Carrier, folder: Path) -> AsyncIterator[tuple[SlackStandIn, Serving]]:
    async with SlackStandIn(signing_secret=SECRET, bot_token=BOT_TOKEN) as slack:
        for person in ("U0ANA", "U0MIA"):
            slack.add_person(person, name=person[2:].title())
        for channel in (OPS, APPROVALS):
            slack.add_channel(channel, name=channel[2:].lower(), members=["U0ANA", "U0MIA"])
        variables = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": slack.api_url,
            "TELNYX_API_KEY": API_KEY,
            "TELNYX_API_URL": carrier.url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'linesman.db'}",
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "LINESMAN_REQUESTERS": "U0ANA",
            "LINESMAN_APPROVERS": "U0MIA",
            "LINESMAN_APPROVAL_CHANNEL": APPROVALS,
            "LINESMAN_MAX_NUMBERS": "100000",
        }
        serving = Serving(variables, folder / "linesman.log")
        try:
            await serving.start()
            slack.deliver_http(f"{serving.address}/slack/events")
            yield slack, serving
        finally:
            await serving.close()


def _sheet(count: int) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([("number", "customer_reference"), *((number, WANTED) for number in numbers(count))])
    return out.getvalue().encode()


def _planned(view: View) -> bool:
    return view.callback_id == "preview" and any(block["type"] == "actions" for block in view.blocks)


def _pid(serving: Serving) -> int:
    if serving._process is None:
        raise RuntimeError("the bot is not running")
    return serving._process.pid


def _results(slack: SlackStandIn) -> list[dict[str, str]]:
    for file in slack.files:
        if file.name.endswith("-results.csv") and file.channel:
            return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    return []


def _verified(slack: SlackStandIn) -> int:
    return sum(row["outcome"] == "verified" for row in _results(slack))

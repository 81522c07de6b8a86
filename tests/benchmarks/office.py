"""Linesman as a process of its own, between a stand-in for Slack and one for the carrier."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.sandbox.slack import SlackStandIn, SlackUser, View
from tests.acceptance.process import Serving
from tests.acceptance.stage import free_port
from tests.benchmarks.carrier import API_KEY
from tests.benchmarks.measure import cpu_of

BOT_TOKEN: Final = "xoxb-benchmark-1"
SECRET: Final = "signing-secret-of-the-benchmark"
OPS: Final = "C0OPS"
APPROVALS: Final = "C0APPROVALS"
#: Seconds that the longest phase may take.
PATIENCE: Final = 3600.0
#: What is yet to be delivered.
_UNDONE: Final = re.compile(r"^linesman_outbox_undelivered [1-9]", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Office:
    """Who works here: Ana asks, Mia approves."""

    slack: SlackStandIn
    serving: Serving
    ana: SlackUser
    mia: SlackUser
    #: Seconds from the start of the process until it said that it is ready, and seconds of CPU that this took.
    started: tuple[float, float]
    #: Where it writes down what held its loop up.
    steps: Path

    @property
    def pid(self) -> int:
        """The id of Linesman's process; raises RuntimeError when there is none."""
        if self.serving.pid is None:
            raise RuntimeError("the bot is not running")
        return self.serving.pid

    async def has_undelivered(self) -> bool:
        """Tell whether messages are still on their way to Slack."""
        return _UNDONE.search((await self.serving.read("/metrics"))[1]) is not None


@asynccontextmanager
async def office(carrier: str, folder: Path, *, people: Sequence[str] = (), rules: str = "") -> AsyncIterator[Office]:
    """Run Linesman with a database in ``folder`` while the block lasts; ``people`` are there besides Ana and Mia.

    ``rules`` is the policy file, if there is one.
    """
    async with SlackStandIn(signing_secret=SECRET, bot_token=BOT_TOKEN) as slack:
        ana, mia = slack.add_person("U0ANA", name="Ana"), slack.add_person("U0MIA", name="Mia")
        for person in people:
            slack.add_person(person, name=person[2:].title())
        for channel in (OPS, APPROVALS):
            slack.add_channel(channel, name=channel[2:].lower(), members=["U0ANA", "U0MIA", *people])
        variables = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": slack.api_url,
            "TELNYX_API_KEY": API_KEY,
            "TELNYX_API_URL": carrier,
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'linesman.db'}",
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "LINESMAN_REQUESTERS": ",".join(["U0ANA", *people]),
            "LINESMAN_APPROVERS": "U0MIA",
            "LINESMAN_APPROVAL_CHANNEL": APPROVALS,
            "LINESMAN_MAX_NUMBERS": "100000",
        }
        steps = folder / "steps"
        if rules:
            policy = folder / "policy.toml"
            await asyncio.to_thread(policy.write_text, rules, encoding="utf-8")
            variables["LINESMAN_POLICY_FILE"] = str(policy)
        serving = Serving(variables, folder / "linesman.log", ("tests.benchmarks.steps", str(steps)))
        try:
            began = time.perf_counter()
            await serving.start()
            started = time.perf_counter() - began, cpu_of(serving.pid or 0)
            slack.deliver_http(f"{serving.address}/slack/events")
            yield Office(slack=slack, serving=serving, ana=ana, mia=mia, started=started, steps=steps)
        finally:
            await serving.close()


async def plan(ana: SlackUser, command: str, sheet: bytes) -> None:
    """Ask for what ``sheet`` says and wait for the plan."""
    await ana.command("/numbers", command, channel=OPS)
    await ana.wait_for_view(lambda view: view.callback_id == "change_form")
    await ana.attach("sheet:0", ("numbers.csv", sheet))
    await ana.type("reason", "A benchmark")
    await ana.submit()
    shown = await ana.wait_for_view(planned, timeout=PATIENCE)
    if not shown.content.get("submit"):
        raise RuntimeError(f"there is no plan: {shown.content}")


def csv_of(*rows: Sequence[str]) -> bytes:
    """Return rows as a sheet."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def planned(view: View) -> bool:
    """Tell whether a plan is shown, or why there is none."""
    return view.callback_id == "preview" and any(block["type"] == "actions" for block in view.blocks)

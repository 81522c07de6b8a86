"""Measure Linesman while it reads and plans large sheets and filters.

Run it from the root: ``python -m tests.benchmarks.sheets [case ...]``. Each case starts ``linesman serve`` and a
stand-in for Telnyx as processes of their own, first clicks while the bot has nothing to do, then while it plans, and
prints how long the acks took, their ratio, and the most memory that the bot had. The budgets are those of the design:
acks within 250 ms for 99 of 100, and 300 MiB for 100,000 numbers. Timings depend on the machine; the ratio less so.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openpyxl import Workbook

from bot.sandbox.slack import SlackStandIn, SlackUser, View
from bot.sandbox.telnyx import TelnyxStandIn
from tests.acceptance.process import HERE, Serving, environment
from tests.acceptance.stage import free_port

BOT_TOKEN: Final = "xoxb-benchmark-1"
API_KEY: Final = "KEY0benchmark0001"
SECRET: Final = "signing-secret-of-the-benchmark"
OPS: Final = "C0OPS"
#: Seconds between two clicks, and how many are made before anything is planned.
PAUSE: Final = 0.05
BEFORE: Final = 100
#: Different values in a sheet, each of which makes a job of its own.
VALUES: Final = 100
#: Seconds that the carrier takes for an answer, as one does over the internet.
LATENCY: Final = 0.15
#: Budgets: milliseconds, and MiB.
ACK: Final = 250.0
MEMORY: Final = 300.0


def numbers(count: int) -> list[str]:
    """Return numbers as the stand-in has them."""
    return [f"+1303{5_000_000 + index}" for index in range(count)]


def rows(count: int) -> list[tuple[str, str, str]]:
    """Return the rows of a sheet, headings first."""
    listed = [(number, f"site {index % VALUES}", "denver, pbx") for index, number in enumerate(numbers(count))]
    return [("number", "customer_reference", "tags"), *listed]


def as_csv(count: int) -> bytes:
    """Return a sheet as CSV."""
    out = io.StringIO()
    csv.writer(out).writerows(rows(count))
    return out.getvalue().encode()


def as_xlsx(count: int) -> bytes:
    """Return a sheet as a workbook."""
    book = Workbook(write_only=True)
    page = book.create_sheet("Numbers")
    for row in rows(count):
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing to measure."""

    name: str
    count: int
    #: Puts the target into the form that is open.
    point: Callable[[SlackUser, int], Awaitable[None]]


async def upload_csv(ana: SlackUser, count: int) -> None:
    """Attach a CSV file."""
    await ana.attach("sheet:0", ("numbers.csv", as_csv(count)))


async def upload_xlsx(ana: SlackUser, count: int) -> None:
    """Attach a workbook."""
    await ana.attach("sheet:0", ("numbers.xlsx", as_xlsx(count)))


async def filter_by_tag(ana: SlackUser, _: int) -> None:
    """Choose every number with a tag."""
    await ana.choose("filters", ["tag"])
    await ana.wait_for_view(lambda view: ("filter:tag", "filter:") in view.form.slots)
    await ana.suggest("filter:tag", "")
    await ana.choose("filter:tag", "denver")
    await ana.choose("settings", ["customer_reference"])
    await ana.wait_for_view(lambda view: ("value:customer_reference", "value:") in view.form.slots)
    await ana.type("value:customer_reference", "moved")


CASES: Final = (
    Case(name="csv", count=100_000, point=upload_csv),
    Case(name="xlsx", count=100_000, point=upload_xlsx),
    Case(name="filter", count=20_000, point=filter_by_tag),
)


async def measure(case: Case, folder: Path) -> str:
    """Play one case and return its line."""
    carrier, url = await _carrier(case.count)
    async with SlackStandIn(signing_secret=SECRET, bot_token=BOT_TOKEN) as slack:
        ana, mia = slack.add_person("U0ANA", name="Ana"), slack.add_person("U0MIA", name="Mia")
        slack.add_channel(OPS, name="ops", members=["U0ANA", "U0MIA"])
        serving = Serving(_environment(slack, url, folder), folder / "linesman.log")
        try:
            await serving.start()
            slack.deliver_http(f"{serving.address}/slack/events")
            idle = [await _click(mia) for _ in range(BEFORE)]
            await ana.command("/numbers", "update", channel=OPS)
            await ana.wait_for_view(lambda view: view.callback_id == "change_form")
            await case.point(ana, case.count)
            await ana.type("reason", "A benchmark")
            began = time.perf_counter()
            await ana.submit()
            planned = asyncio.create_task(ana.wait_for_view(_planned, timeout=1800))
            busy = []
            while not planned.done():
                busy.append(await _click(mia))
            took = time.perf_counter() - began
            shown = await planned
            if not shown.content.get("submit"):
                raise RuntimeError(f"there is no plan: {shown.content}")
            return _line(case, took, idle, busy, _memory(serving))
        finally:
            await serving.close()
            carrier.terminate()
            await carrier.wait()


def _planned(view: View) -> bool:
    return view.callback_id == "preview" and any(block["type"] == "actions" for block in view.blocks)


async def _click(person: SlackUser) -> float:
    """Type a command and return the milliseconds until its ack."""
    delivery = await person.command("/numbers", "help", channel=OPS)
    if delivery.error:
        raise RuntimeError(f"a click was not answered: {delivery.error}")
    await asyncio.sleep(PAUSE)
    return delivery.seconds * 1000


def _memory(serving: Serving) -> float:
    """Return the most memory that the process had at once, in MiB (``VmHWM``, which Linux keeps)."""
    process = serving._process
    if process is None:
        raise RuntimeError("the bot is not running")
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def _line(case: Case, took: float, idle: list[float], busy: list[float], memory: float) -> str:
    at_rest, at_work = _percentile(idle, 0.99), _percentile(busy, 0.99)
    kept = "kept" if at_work < ACK and memory < MEMORY else "NOT kept"
    return (
        f"{case.name:>7} {case.count:8,} {took:8.1f} {len(busy):7,} {_percentile(idle, 0.5):9.1f} {at_rest:9.1f} "
        f"{_percentile(busy, 0.5):9.1f} {at_work:9.1f} {at_work / at_rest:7.1f} {memory:9.0f} {kept}"
    )


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


async def _carrier(count: int) -> tuple[asyncio.subprocess.Process, str]:
    """Start a stand-in for Telnyx as a process of its own and return it with its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.sheets", "--carrier", str(count)),
        cwd=HERE,
        env=environment({}),
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdout is None:
        raise RuntimeError("the stand-in has no output")
    return process, (await process.stdout.readline()).decode().strip()


async def _serve_carrier(count: int) -> None:
    async with TelnyxStandIn(api_key=API_KEY) as telnyx:
        telnyx.add_numbers(count, start=numbers(1)[0], tags=["denver"])
        telnyx.faults.add(kind="delay", seconds=LATENCY, times=None)
        print(telnyx.url, flush=True)  # noqa: T201 - how the other process learns the address
        await asyncio.Event().wait()


def _environment(slack: SlackStandIn, telnyx: str, folder: Path) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": slack.api_url,
        "TELNYX_API_KEY": API_KEY,
        "TELNYX_API_URL": telnyx,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'linesman.db'}",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "LINESMAN_REQUESTERS": "U0ANA",
        "LINESMAN_APPROVERS": "U0MIA",
        "LINESMAN_APPROVAL_CHANNEL": OPS,
        "LINESMAN_MAX_NUMBERS": "100000",
    }


def main() -> None:
    """Play the cases that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sheets", description=__doc__.splitlines()[0])
    names = [case.name for case in CASES]
    parser.add_argument("case", nargs="*", help=f"which of {', '.join(names)}; all when none is named")
    parser.add_argument("--carrier", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.carrier is not None:
        asyncio.run(_serve_carrier(asked.carrier))
        return
    if unknown := sorted({*asked.case} - {*names}):
        parser.error(f"there is no case {', '.join(unknown)}: choose from {', '.join(names)}")
    wanted = asked.case or names
    heads = ("case", "numbers", "seconds", "clicks", "idle p50", "idle p99", "busy p50", "busy p99", "ratio", "MiB")
    widths = (7, 8, 8, 7, 9, 9, 9, 9, 7, 9)
    print(" ".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)), "budget")  # noqa: T201 - a script
    for case in CASES:
        if case.name in wanted:
            with tempfile.TemporaryDirectory() as folder:
                print(asyncio.run(measure(case, Path(folder))), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()

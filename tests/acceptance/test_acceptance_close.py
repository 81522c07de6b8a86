"""The process is killed in the middle of a run at Close, which it carries out itself (invariant 11)."""

from __future__ import annotations

import csv
import io
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.close import CloseStandIn, furnish
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn
from tests.acceptance import ledger
from tests.acceptance.stage import API_KEY, APP_TOKEN, BOT_TOKEN, PATIENCE, SIGNING_SECRET, Stage
from tests.acceptance.workspace import OPS
from tests.filling import fill

NUMBERS = 60
LABEL = "Night desk"


@pytest.fixture
async def close() -> AsyncIterator[CloseStandIn]:
    """Return an organization whose updates take effect at once and are answered a little later."""
    async with CloseStandIn(api_key="api_acceptance") as standing_in:
        furnish(standing_in, shared=NUMBERS)
        standing_in.faults.add(method="PUT", kind="delay", seconds=0.1, times=None)
        yield standing_in


@pytest.fixture
async def stage(tmp_path: Path, close: CloseStandIn) -> AsyncIterator[Stage]:
    """Set the stage with Close; the process is not started yet."""
    slack = SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN)
    async with slack, TelnyxStandIn(api_key=API_KEY) as telnyx:
        stage = Stage(slack=slack, telnyx=telnyx, close=close, folder=tmp_path)
        yield stage
        await stage.process.close()
    # Pytest shows what a fixture wrote with the test that failed, and only then.
    sys.stdout.write(stage.process.written())


def shared(close: CloseStandIn) -> list[str]:
    """Return the numbers that the change is about."""
    return [number.number for number in close.numbers.values() if number.is_group_number]


async def ask(stage: Stage, numbers: list[str]) -> None:
    """Ana asks for a new label and sees the plan."""
    ana = stage.ana
    await ana.command("/numbers", "close", channel=OPS)
    await ana.wait_for_view(lambda view: view.callback_id == "change_form")
    await fill(ana, numbers, {"label": LABEL}, besides={"reason": "The night desk moves"})
    sent = await ana.submit()
    assert (sent.errors, sent.delivery.error) == (None, None)
    await stage.request()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(
    "after", [pytest.param(1, marks=pytest.mark.faults), 25, pytest.param(55, marks=pytest.mark.faults)]
)
async def test_killed_in_the_middle_of_a_run_nothing_is_lost_and_nothing_doubled(
    stage: Stage, close: CloseStandIn, number: signal.Signals, after: int
) -> None:
    """However many numbers were done, the next process does the others, and each was updated exactly once."""
    numbers = shared(close)
    await stage.start()
    await ask(stage, numbers)
    await stage.approve()
    await close.wait_for(lambda: len(close.updates) >= after, timeout=PATIENCE)

    stage.process.strike(number)
    status = await stage.process.gone()
    assert status == (0 if number is signal.SIGTERM else -number)
    close.faults.clear()
    await stage.again()
    await stage.ended()

    [sheet] = stage.sheets()
    rows = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))
    assert [(row["number"], row["outcome"]) for row in rows] == [(each, "verified") for each in numbers]
    assert Counter(update.number for update in close.updates) == Counter(numbers)
    assert {close.number(each).label for each in numbers} == {LABEL}
    assert ledger.rows(stage.database, "SELECT id FROM runs WHERE open OR owner IS NOT NULL") == []
    assert ledger.rows(stage.database, "SELECT DISTINCT state FROM run_numbers") == [("succeeded",)]
    ledger.assert_nothing_waits(stage.database)
    assert stage.slack.complaints == []


async def test_killed_while_frozen_the_next_process_sends_nothing_before_the_freeze_is_lifted(
    stage: Stage, close: CloseStandIn
) -> None:
    """A freeze outlives the process; once it is lifted each number that waited is updated, once."""
    numbers = shared(close)
    stage.process.env["LINESMAN_OPERATORS"] = "U0MAX"
    await stage.start()
    await ask(stage, numbers)
    await stage.approve()
    await close.wait_for(lambda: len(close.updates) >= 20, timeout=PATIENCE)
    await command(stage, "freeze carrier maintenance", "Submissions are frozen")
    marked = sent(stage)

    stage.process.strike(signal.SIGKILL)
    await stage.process.gone()
    assert sent(stage) == marked < NUMBERS
    close.faults.clear()
    before = polls(stage)
    await stage.again()
    await close.wait_for(lambda: polls(stage) > before + 3, timeout=PATIENCE)
    assert sent(stage) == marked >= sum(call.method == "PUT" for call in close.calls)

    await command(stage, "unfreeze", "The freeze is lifted; submissions continue.")
    await stage.ended()

    [sheet] = stage.sheets()
    rows = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))
    assert [(row["number"], row["outcome"]) for row in rows] == [(each, "verified") for each in numbers]
    assert Counter(update.number for update in close.updates) == Counter(numbers)
    ledger.assert_nothing_waits(stage.database)


async def command(stage: Stage, words: str, answer: str) -> None:
    """Let Max operate and read the answer."""
    await stage.max.command("/numbers", words, channel=OPS)
    await stage.slack.wait_for(
        lambda: any(answer in stage.read(each) for each in stage.slack.ephemerals("U0MAX")), timeout=PATIENCE
    )


def sent(stage: Stage) -> int:
    """Count the numbers that were sent, or may have been."""
    return int(str(ledger.rows(stage.database, "SELECT count(*) FROM run_numbers WHERE state <> 'waiting'")[0][0]))


def polls(stage: Stage) -> int:
    """Return how often the job was asked about; each time the run is taken up when it is due."""
    return int(str(ledger.rows(stage.database, "SELECT polls FROM batches")[0][0]))

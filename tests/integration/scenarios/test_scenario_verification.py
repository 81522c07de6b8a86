"""After the jobs: what the carrier says is read back, and what is not true is told."""

from __future__ import annotations

import io
from functools import partial

import pytest
from cryptography.fernet import Fernet
from openpyxl import load_workbook

from bot import wiring
from bot.changes.outcome.poll_schedule import READ_BACKS
from bot.sandbox.telnyx import Call
from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import card_says

REFERENCE = "customer_reference"
#: Pauses between two reads that are long enough to do something in between: a fifth of a second of real time.
UNHURRIED = {"LINESMAN_POLL_MIN": "2", "LINESMAN_POLL_MAX": "2"}


def numbers_of(stage: Stage, count: int, **given: str) -> list[str]:
    """Give the account ``count`` numbers."""
    return [number.phone_number for number in stage.telnyx.add_numbers(count, start="+13035550000", **given)]  # type: ignore[arg-type]


def reads(stage: Stage) -> list[Call]:
    """Return the calls that read numbers after the last job was created."""
    created = stage.created()[-1].at
    return [
        call for call in stage.telnyx.calls if call.at > created and call.method == "GET" and "/jobs" not in call.path
    ]


async def verifying(stage: Stage, change: int) -> None:
    """Wait until the card says that the numbers are being read back."""
    await card_says(stage, change, "Verifying")


async def test_a_setting_that_was_silently_dropped_is_found_and_told(stage: Stage) -> None:
    """The job says that all is well; card, thread, sheet and failure channel say on which numbers it is not."""
    dallas, denver = stage.telnyx.add_connection("Dallas PBX"), stage.telnyx.add_connection("Denver PBX")
    numbers = numbers_of(stage, 10, connection_id=dallas.id)
    stage.telnyx.fail(numbers[9], pointer="/connection_id")
    dropped = [numbers[2], numbers[5]]
    stage.telnyx.misbehave(None, "silently_dropped", field="connection_id", numbers=dropped)

    change = await stage.run(numbers, {"connection_id": denver.id, "tags": "denver"})

    told = f"Connection is Dallas PBX ({dallas.id}) instead of Denver PBX ({denver.id})"
    card = stage.read(stage.card(change))
    assert "⚠️ Partly failed" in card
    assert "7 verified · 2 differ · 1 failed" in card
    assert f"• 2: {told} linesman.differs /connection_id ({', '.join(dropped)})" in card
    [ending] = [line for line in stage.thread(change) if "Done:" in line]
    assert "7 verified, 2 differ, 1 failed. @Ana" in ending
    assert told in ending
    assert stage.outcomes(change) == {"verified": 7, "differs": 2, "failed": 1}
    for row in stage.results(change):
        if row["outcome"] == "differs":
            assert row["number"] in dropped
            assert row["reason"] == told
            assert row["Connection (after)"] == f"Denver PBX ({denver.id})"
            assert row["Connection (found)"] == f"Dallas PBX ({dallas.id})"
        elif row["outcome"] == "verified":
            assert row["Connection (found)"] == row["Connection (after)"]
        assert bool(row["read_back_at_utc"]) == (row["outcome"] != "failed")
    [notice] = stage.slack.messages(FAILURES)
    said = stage.read(notice)
    assert "1 of 10 numbers failed; 2 numbers differ from what was approved, although Telnyx reports success" in said
    assert told in said
    assert notice.mentions.users == {"U0ANA"}
    assert "7 verified · 2 differ · 1 failed" in await stage.command(f"status CHG-{change}")
    assert "7 verified · 2 differ · 1 failed" in await stage.command("list")
    stage.assert_nothing_doubled()


async def test_only_what_differs_is_read_again(stage: Stage) -> None:
    """Of 600 numbers on three pages, one that differs is read by itself the other times."""
    numbers = numbers_of(stage, 600)
    stage.telnyx.misbehave(None, "silently_dropped", field=REFERENCE, numbers=numbers[:1])

    change = await stage.run(numbers)

    assert stage.outcomes(change) == {"verified": 599, "differs": 1}
    paths = [call.path for call in reads(stage)]
    one = stage.telnyx.number(numbers[0]).id
    assert paths.count("/phone_numbers") == 3
    assert paths.count(f"/phone_numbers/{one}") == READ_BACKS - 1
    assert len(paths) == READ_BACKS + 2


async def test_a_change_of_which_nothing_arrived_has_failed(stage: Stage) -> None:
    """However good the job's report: when no number has what was approved, the change has failed."""
    numbers = numbers_of(stage, 3)
    stage.telnyx.misbehave(None, "silently_dropped", field=REFERENCE)

    change = await stage.run(numbers)

    assert stage.outcomes(change) == {"differs": 3}
    assert "❌ Failed" in stage.read(stage.card(change))
    assert "3 numbers differ from what was approved" in stage.failures()[0]


async def test_where_nothing_succeeded_nothing_is_read_back(stage: Stage) -> None:
    """A number that the carrier says it did not change is not asked for again."""
    numbers = numbers_of(stage, 3)
    for number in numbers:
        stage.telnyx.fail(number)

    change = await stage.run(numbers)

    assert stage.outcomes(change) == {"failed": 3}
    assert reads(stage) == []
    assert "0 verified · 3 failed" in stage.read(stage.card(change))


async def test_a_change_that_shows_late_is_waited_for(idle: Stage) -> None:
    """A carrier that is eventually consistent is read again, and nobody is alarmed."""
    numbers = numbers_of(idle, 3)
    idle.telnyx.read_lag = 3600
    await idle.start(**UNHURRIED)
    change = await idle.ask(numbers)
    await idle.approve(change)
    await verifying(idle, change)

    idle.telnyx.advance(3600)
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 3}
    assert "✅ Succeeded" in idle.read(idle.card(change))
    assert idle.failures() == []


async def test_a_restart_goes_on_where_the_read_back_was(idle: Stage) -> None:
    """Cut off while it waits to read again, the bot goes on; nothing is read anew that was verified, or told twice."""
    numbers = numbers_of(idle, 4)
    idle.telnyx.misbehave(None, "silently_dropped", field=REFERENCE, numbers=numbers[3:])
    await idle.start(**UNHURRIED)
    change = await idle.ask(numbers)
    await idle.approve(change)
    await idle.slack.wait_for(
        lambda: "1 succeeded · 3 verified · 0 failed" in idle.read(idle.card(change)), what="the first read"
    )

    await idle.crash()
    before = len(reads(idle))
    await idle.start()
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 3, "differs": 1}
    one = idle.telnyx.number(numbers[3]).id
    assert {call.path for call in reads(idle)[before:]} == {f"/phone_numbers/{one}"}
    assert len(idle.failures()) == 1
    idle.assert_nothing_doubled()


async def test_trouble_while_reading_back_only_delays(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that fails is made again later, and the result is the same."""
    monkeypatch.setattr(wiring, "build_providers", partial(wiring.build_providers, patience=0.05))
    numbers = numbers_of(idle, 3)
    await idle.start(**UNHURRIED)
    change = await idle.ask(numbers)
    idle.telnyx.job_seconds = 0.3
    await idle.approve(change)
    await idle.telnyx.wait_for(lambda: idle.telnyx.jobs)
    fault = idle.telnyx.faults.add(method="GET", path="/phone_numbers/[0-9]*", kind="status", status=503, times=3)
    await idle.ended(change)

    assert fault.times == 0
    assert idle.outcomes(change) == {"verified": 3}
    assert idle.failures() == []


async def test_what_cannot_be_read_back_is_never_called_verified(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the carrier cannot be read for long, the change ends, and says in plain words what is not known."""
    monkeypatch.setattr(wiring, "build_providers", partial(wiring.build_providers, patience=0.05))
    numbers = numbers_of(idle, 3)
    await idle.start()
    change = await idle.ask(numbers)
    idle.telnyx.job_seconds = 0.3
    await idle.approve(change)
    await idle.telnyx.wait_for(lambda: idle.telnyx.jobs)
    idle.telnyx.faults.add(method="GET", path="/phone_numbers/[0-9]*", kind="status", status=503, times=None)
    await idle.ended(change)

    card = idle.read(idle.card(change))
    assert "⚠️ Ended, not verified" in card
    assert "0 verified · 3 could not be verified · 0 failed" in card
    assert "Telnyx could not be read afterwards; check the number" in card
    assert idle.outcomes(change) == {"unverified": 3}
    assert {row["reason_code"] for row in idle.results(change)} == {"linesman.not_read_back"}
    assert not any("(found)" in column for column in idle.results(change)[0])
    assert "3 numbers could not be verified" in idle.failures()[-1]


async def test_a_number_that_left_meanwhile_is_told_as_gone(idle: Stage) -> None:
    """A number that is not in the account any more when it is read back does not have what was approved."""
    numbers = numbers_of(idle, 2)
    idle.telnyx.read_lag = 3600
    await idle.start(**UNHURRIED)
    change = await idle.ask(numbers)
    await idle.approve(change)
    await verifying(idle, change)

    idle.telnyx.remove_number(numbers[1])
    idle.telnyx.advance(3600)
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 1, "differs": 1}
    gone = idle.results(change)[1]
    assert (gone["reason_code"], gone["Customer reference (found)"]) == ("linesman.gone", "(not in the account)")
    assert "The number is no longer in the account." in idle.read(idle.card(change))


async def test_a_frozen_change_is_verified_all_the_same(idle: Stage) -> None:
    """A freeze stops what is sent, not what is read: what is at the carrier is watched and read back."""
    numbers = numbers_of(idle, 2)
    idle.telnyx.job_seconds = 0.5
    await idle.start()
    change = await idle.ask(numbers)
    await idle.approve(change)
    await idle.telnyx.wait_for(lambda: idle.telnyx.jobs)

    await idle.command("freeze carrier maintenance", by=idle.otto)
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 2}


async def test_a_pin_that_was_dropped_is_told_without_being_shown(idle: Stage) -> None:
    """Another PIN than the one sent is a difference; none at all cannot be told from one that is not shown."""
    await idle.start(LINESMAN_SECRET_KEY=Fernet.generate_key().decode())
    numbers = numbers_of(idle, 3)
    idle.telnyx.number(numbers[1]).external_pin = "Ocelot2864"
    idle.telnyx.misbehave(None, "silently_dropped", field="external_pin", numbers=numbers[1:])

    change = await idle.run(numbers, {"external_pin": "Quetzal7391"})

    assert [row["outcome"] for row in idle.results(change)] == ["verified", "differs", "unverified"]
    card = idle.read(idle.card(change))
    assert "1 verified · 1 differs · 1 could not be verified · 0 failed" in card
    assert "External PIN is not the one that was sent" in card
    assert "External PIN cannot be read back, so it was not compared" in card
    said = "\n".join([*map(idle.read, idle.everything()), str(idle.file(change))])
    assert "Ocelot2864" not in said
    assert "Quetzal7391" not in said


def workbooks(stage: Stage, change: int) -> list[bytes]:
    """Return the workbooks in the change's thread."""
    return [f.content for f in stage.slack.files if f.name == f"CHG-{change}-results.xlsx" and f.channel is not None]


async def test_the_results_come_as_a_workbook_when_asked_for(stage: Stage) -> None:
    """By the button below the results or by command, from whoever may look, however often: one file, the same rows."""
    numbers = numbers_of(stage, 3)
    change = await stage.run(numbers)
    card = stage.card(change)
    [ending] = [each for each in stage.slack.thread(card.channel, card.ts) if stage.buttons(each) == ["workbook"]]
    assert workbooks(stage, change) == []

    answer = await stage.answered(stage.ana, stage.ana.click("workbook", message=ending))
    again = await stage.command(f"status chg-{change} XLSX", by=stage.max)
    await stage.slack.wait_for(lambda: workbooks(stage, change), what="the workbook")
    await stage.quiet()

    assert f"CHG-{change}-results.xlsx is posted in the thread" in answer
    assert again == answer
    [workbook] = workbooks(stage, change)
    [page] = load_workbook(io.BytesIO(workbook)).worksheets
    headings, *lines = [[str(cell or "") for cell in row] for row in page.iter_rows(values_only=True)]
    assert [dict(zip(headings, line, strict=True)) for line in lines] == stage.results(change)
    assert "Results requested as a workbook" in await stage.command(f"status CHG-{change}")
    stage.assert_nothing_doubled()


async def test_there_is_no_workbook_before_there_are_results(stage: Stage) -> None:
    """Whoever asks too early, for nothing, or for another form is told what can be had."""
    change = await stage.ask(numbers_of(stage, 1))

    assert "awaiting approval; results are available when it is over" in await stage.command(
        f"status CHG-{change} xlsx"
    )
    assert "There is no CHG-99" in await stage.command("status CHG-99 xlsx")
    assert "/numbers status CHG-42 xlsx" in await stage.command(f"status CHG-{change} pdf")
    assert workbooks(stage, change) == []

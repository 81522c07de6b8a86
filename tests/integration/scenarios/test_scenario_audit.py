"""The audit log: everything is in it, refusals too, and operators get it as a file."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from bot.changes.audit.events import GENESIS, Event, link
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.sandbox.slack import SlackUser
from bot.store.records.batches import Batches
from bot.store.records.changes import Changes
from bot.store.records.events import Events
from bot.store.records.secrets import Secrets
from bot.store.transaction import Transaction
from bot.workflow.denied_actions import MOST
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says


def rows(stage: Stage, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with closing(sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def trail(stage: Stage) -> list[dict[str, Any]]:
    """Return every event as it rests in the database."""
    with closing(sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM events ORDER BY id")]
    return [row | {"details": json.loads(row["details"])} for row in rows]


def told(stage: Stage, what: str) -> list[dict[str, Any]]:
    """Return the events of one sort."""
    return [event for event in trail(stage) if event["what"] == what]


async def proven(stage: Stage) -> int:
    """Prove the whole trail and return how many events it has."""
    assert stage.bot is not None
    async with stage.bot.worker._context.database.reading() as tx:
        return (await tx.events.verify()).events


async def sent_files(stage: Stage, person: SlackUser) -> list[tuple[str, bytes]]:
    """Return the files in a person's direct messages with the bot."""
    direct = stage.slack.workspace.direct_message(person.id).id
    return [(file.name, file.content) for file in stage.slack.files if file.channel == direct]


async def test_every_step_of_a_change_is_in_the_audit_log_and_proven(stage: Stage) -> None:
    """From the form to the results each step is an event with who did it, and the chain over all of them holds."""
    number = stage.telnyx.add_number("+13035550000").phone_number
    change = await stage.run([number])
    await stage.quiet()

    steps = [(event["what"], event["actor"]) for event in trail(stage) if event["change_id"] == change]
    assert steps == [
        ("proposed", "U0ANA"),
        ("planned", "linesman"),
        ("approval_requested", "U0ANA"),
        ("approved", "U0MAX"),
        ("started", "linesman"),
        ("batch_submitting", "linesman"),
        ("batch_submitted", "linesman"),
        ("batch_settled", "linesman"),
        ("verifying", "linesman"),
        ("read_back", "linesman"),
        ("finished", "linesman"),
    ]
    assert await proven(stage) == len(steps)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the transitions of changes and batches whose own transaction tells nothing about that change."""
    found: list[str] = []
    moved: WeakKeyDictionary[Secrets, list[tuple[int, str]]] = WeakKeyDictionary()
    make, seal, move_change, move_batch = Transaction.__init__, Events.seal, Changes.move, Batches.move
    steps: WeakKeyDictionary[Events, Secrets] = WeakKeyDictionary()

    def made(tx: Transaction, *args: Any, **more: Any) -> None:
        make(tx, *args, **more)
        steps[tx.events] = tx.secrets

    async def change_moved(table: Changes, change: int, to: ChangeState, **more: Any) -> None:
        await move_change(table, change, to, **more)
        moved.setdefault(table._secrets, []).append((change, to.value))

    async def batch_moved(table: Batches, batch: int, to: BatchState, **more: Any) -> None:
        await move_batch(table, batch, to, **more)
        moved.setdefault(table._secrets, []).append(((await table.get(batch)).change, f"batch {to.value}"))

    async def sealed(events: Events) -> None:
        told = {event["change_id"] for event in events._added}
        found.extend(step for change, step in moved.get(steps[events], []) if change not in told)
        await seal(events)

    monkeypatch.setattr(Transaction, "__init__", made)
    monkeypatch.setattr(Events, "seal", sealed)
    monkeypatch.setattr(Changes, "move", change_moved)
    monkeypatch.setattr(Batches, "move", batch_moved)
    return found


async def test_no_transition_is_silent(silent: list[str], stage: Stage) -> None:
    """Through an unanswered job, a refusal, a stale plan, an expiry, a cancellation and a closed plan: none."""
    stage.telnyx.faults.add(method="POST", path="/phone_numbers/jobs/update_phone_numbers", kind="drop_before")
    number = stage.telnyx.add_number("+13035550000")
    await stage.run([number.phone_number])
    stale = await stage.ask([number.phone_number], {"customer_reference": "Boulder"})
    number.customer_reference = "somebody else's"
    await stage.approve(stale)
    await card_says(stage, stale, "Stale")
    for _ in range(2):
        await stage.ask([number.phone_number])
        await stage.command("cancel CHG-3")
        stage.clock.advance(90_000)
        await stage.quiet()
    await stage.propose([number.phone_number])
    await stage.ana.close()

    wanted = [("cancelled",), ("discarded",), ("expired",), ("finished",), ("stale",)]
    async with asyncio.timeout(60):
        while rows(stage, "SELECT DISTINCT state FROM changes ORDER BY 1") != wanted:  # noqa: ASYNC110 - a database signals nobody
            await asyncio.sleep(0.03)
    assert silent == []


async def test_refused_clicks_are_written_down(stage: Stage) -> None:
    """Who tried what, on which change, and what they were told: for buttons and for commands, late clicks included."""
    number = stage.telnyx.add_number("+13035550000").phone_number
    change = await stage.ask([number])
    said = [
        ("approve", "U0SAM", await stage.press("approve", change, by=stage.sam)),
        ("approve", "U0ANA", await stage.press("approve", change, by=stage.ana)),
        ("cancel", "U0SAM", await stage.command(f"cancel CHG-{change}", by=stage.sam)),
        ("unlock", "U0MAX", await stage.command(f"unlock CHG-{change}", by=stage.max)),
        ("freeze", "U0ANA", await stage.command("freeze because", by=stage.ana)),
        ("unfreeze", "U0ANA", await stage.command("unfreeze", by=stage.ana)),
        ("export", "U0ANA", await stage.command("export", by=stage.ana)),
        ("unfreeze", "U0OTTO", await stage.command("unfreeze", by=stage.otto)),
    ]
    await stage.sam.command("/numbers", "update", channel="C0OPS")
    await stage.sam.wait_for_view(lambda view: view.callback_id == "notice")
    await stage.command(f"cancel CHG-{change}")
    said.append(("cancel", "U0ANA", await stage.command(f"cancel CHG-{change}")))

    refused = told(stage, "click_refused")
    assert [(each["details"]["verb"], each["actor"]) for each in refused if each["details"]["verb"] != "start"] == [
        (verb, who) for verb, who, _ in said
    ]
    for verb, who, answer in said:
        events = [each for each in refused if (each["details"]["verb"], each["actor"]) == (verb, who)]
        assert any(each["details"]["answer"] in answer for each in events), (verb, who, answer)
    assert [each["actor"] for each in refused if each["details"]["verb"] == "start"] == ["U0SAM"]
    assert {each["change_id"] for each in refused if each["details"]["verb"] in {"approve", "cancel"}} == {change}
    assert await proven(stage) == len(trail(stage))


async def test_a_stranger_cannot_flood_the_audit_log(stage: Stage) -> None:
    """After so many refusals within an hour the rest of one person's is only answered; others are still written."""
    for _ in range(MOST + 3):
        await stage.command("freeze because", by=stage.sam)
    await stage.command("freeze because", by=stage.gus)

    refused = told(stage, "click_refused")
    assert [each["actor"] for each in refused] == ["U0SAM"] * MOST + ["U0GUS"]
    assert [n for n, each in enumerate(refused, 1) if "rest" in each["details"]] == [MOST]

    stage.clock.advance(3600)
    await stage.command("freeze because", by=stage.sam)
    assert len(told(stage, "click_refused")) == MOST + 2


async def test_operators_freeze_unfreeze_and_unlock_on_the_record(stage: Stage) -> None:
    """What operators do is in the trail with their name and their reason."""
    number = stage.telnyx.add_number("+13035550000").phone_number
    change = await stage.ask([number])
    await stage.command("freeze carrier maintenance", by=stage.otto)
    await stage.command("unfreeze", by=stage.otto)
    await stage.command(f"unlock CHG-{change}", by=stage.otto)
    question = stage.slack.ephemerals("U0OTTO")[-1]
    await stage.answered(stage.otto, stage.otto.click("unlock", message=question))

    done = [event for event in trail(stage) if event["actor"] == "U0OTTO"]
    assert [(each["what"], each["change_id"], each["details"]) for each in done] == [
        ("frozen", None, {"reason": "carrier maintenance"}),
        ("unfrozen", None, {}),
        ("unlocked", change, {"numbers": 1}),
        ("cancelled", change, {}),
    ]


async def test_an_operator_exports_into_direct_messages(either: Stage) -> None:
    """The file holds every event of the span, goes where only the operator reads it, and is itself an event."""
    stage = either
    number = stage.telnyx.add_number("+13035550000").phone_number
    await stage.run([number])
    await stage.quiet()
    before = trail(stage)

    answer = await stage.command("export", by=stage.otto)

    assert f"{len(before)} events of the audit log, from" in answer
    assert "in your direct messages" in answer
    [(name, content)] = await sent_files(stage, stage.otto)
    assert name.startswith("linesman-audit-")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [(row["id"], row["what"], row["hash"]) for row in rows] == [
        (str(event["id"]), event["what"], event["hash"]) for event in before
    ]
    assert {row["change"] for row in rows} == {"CHG-1"}
    [exported] = told(stage, "exported")
    assert (exported["actor"], exported["details"]["events"], exported["details"]["format"]) == (
        "U0OTTO",
        len(before),
        "csv",
    )
    assert stage.slack.complaints == []


async def test_a_span_of_days_as_json_lines(stage: Stage) -> None:
    """The first day is in, the last is not, and the log says so; the lines alone are enough to follow the chain."""
    await stage.command("freeze the first day", by=stage.otto)
    stage.clock.advance(86_400)
    await stage.command("unfreeze", by=stage.otto)
    second = stage.clock()
    stage.clock.advance(86_400)
    await stage.command("freeze the third day", by=stage.otto)

    await stage.command(f"export {second:%Y-%m-%d} {second + timedelta(days=1):%Y-%m-%d} jsonl", by=stage.otto)
    await stage.command("export 2020-01-01 JSONL", by=stage.otto)

    (name, one), (_, everything) = await sent_files(stage, stage.otto)
    assert name == f"linesman-audit-{second:%Y-%m-%d}-to-{second + timedelta(days=1):%Y-%m-%d}.jsonl"
    assert [json.loads(line)["what"] for line in one.splitlines()] == ["unfrozen"]
    previous = GENESIS
    for line in everything.splitlines():
        read = json.loads(line)
        event = Event(**read | {"at": second.fromisoformat(read["at"])})
        previous = link(previous, event)
        assert previous == event.hash
    assert len(everything.splitlines()) == 4
    days = [[str(event["details"][end])[:10] for end in ("from", "to")] for event in told(stage, "exported")]
    assert days[0] == [f"{second:%Y-%m-%d}", f"{second + timedelta(days=1):%Y-%m-%d}"]
    assert days[1][0] == "2020-01-01"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("yesterday", "“yesterday” is not a date: write 2026-11-01"),
        ("2026-03-02 2026-03-01", "Nothing lies from 2026-03-02 to before 2026-03-01"),
        ("2026-03-01 2026-03-02 2026-03-03", "at most two dates"),
        ("<!channel>", "is not a date"),
    ],
)
async def test_what_cannot_be_exported_is_answered(stage: Stage, words: str, said: str) -> None:
    """A typing mistake leads to a sentence; no file is sent and no export is noted."""
    answer = await stage.command(f"export {words}", by=stage.otto)

    assert said in answer
    assert "<!channel>" not in stage.slack.ephemerals("U0OTTO")[-1].text
    assert stage.slack.files == []
    assert told(stage, "exported") == []


async def test_only_operators_export(stage: Stage) -> None:
    """Everybody else is told so and gets no file; with an empty list it is nobody."""
    assert "operator" in await stage.command("export", by=stage.max)
    await stage.stop()
    await stage.start(LINESMAN_OPERATORS="")
    assert "operator" in await stage.command("export", by=stage.otto)

    assert stage.slack.files == []
    assert told(stage, "exported") == []


async def test_when_slack_takes_no_file_the_operator_hears_it(stage: Stage) -> None:
    """A refused upload is answered; that the file was made is in the trail all the same."""
    stage.slack.faults.add(method="files.completeUploadExternal", kind="error", error="restricted_action")

    answer = await stage.command("export", by=stage.otto)

    assert "Slack refused the answer" in answer
    assert len(told(stage, "exported")) == 1

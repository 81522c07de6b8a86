"""Sheets that Linesman makes: empty ones, and today's values, to be edited and uploaded again."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing

import pytest

from bot.sandbox.slack import SlackUser
from bot.sandbox.slack.records import File
from tests.integration.scenarios.stage import OPS, Stage

NUMBERS = [f"+1303555{index:04}" for index in range(6)]


@pytest.fixture
async def fleet(stage: Stage) -> Stage:
    """Set up six numbers, each with a reference of its own, two of them at a connection."""
    connection = stage.telnyx.add_connection("Denver PBX")
    for index, number in enumerate(stage.telnyx.add_numbers(6, start=NUMBERS[0], tags=["denver"])):
        number.customer_reference = f"desk {index}"
        if index < 2:
            number.connection_id = connection.id
    return stage


def mail(stage: Stage, end: str, person: SlackUser | None = None) -> list[File]:
    """Return the files in a person's direct message whose names end so."""
    place = stage.slack.direct_message((person or stage.ana).id)
    return [file for file in stage.slack.files if file.name.endswith(end) and file.channel == place]


async def values(stage: Stage, text: str = "update", *, numbers: str = "", tag: str = "") -> File:
    """Ask for today's values and return the sheet."""
    before = len(mail(stage, ".csv"))
    await stage.ana.command("/numbers", f"values {text}", channel=OPS)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    if numbers:
        await stage.ana.type("numbers:0", numbers)
    if tag:
        await stage.ana.choose("filters", ["tag"])
        await stage.ana.wait_for_view(lambda view: ("filter:tag", "filter:") in view.form.slots)
        await stage.ana.suggest("filter:tag", "")
        await stage.ana.choose("filter:tag", tag)
    await stage.send()
    assert "Reading the current values from Telnyx" in stage.modal()
    await stage.slack.wait_for(lambda: len(mail(stage, ".csv")) > before, what="a sheet of values")
    return mail(stage, ".csv")[-1]


def table(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a sheet by heading."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def written(rows: list[dict[str, str]]) -> bytes:
    """Return rows as a sheet again."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


async def upload(stage: Stage, content: bytes) -> str:
    """Upload a sheet and return what is shown after planning."""
    await stage.open()
    await stage.ana.attach("sheet:0", ("edited.csv", content))
    await stage.ana.type("reason", "As edited")
    await stage.send()
    return stage.read(await stage.planned())


async def test_values_go_out_are_edited_and_come_back(fleet: Stage) -> None:
    """As it is the sheet changes nothing; with two cells edited, those two change and nothing else is sent."""
    sheet = await values(fleet, tag="denver")
    rows = table(sheet.content)
    assert sheet.name == "update-values-1.csv"
    assert [(row["number"], row["Customer reference"]) for row in rows] == [
        (number, f"desk {index}") for index, number in enumerate(NUMBERS)
    ]
    assert rows[0]["Connection"].startswith("Denver PBX (")
    assert "Nothing to do: all 6 numbers already have these values." in await upload(fleet, sheet.content)

    connection = fleet.telnyx.add_connection("Boulder PBX")
    for row in rows:
        row["Connection"] = str(connection.id)
    rows[3]["Customer reference"] = "lobby"
    shown = await upload(fleet, written(rows))
    assert "Connection → the value in the sheet" in shown
    assert "Tags" not in shown
    change = await fleet.request()
    await fleet.approve(change)
    await fleet.ended(change)

    numbers = list(fleet.telnyx.numbers.values())
    assert [number.connection_id for number in numbers] == [connection.id] * 6
    assert [number.customer_reference for number in numbers] == [
        "desk 0",
        "desk 1",
        "desk 2",
        "lobby",
        "desk 4",
        "desk 5",
    ]
    bodies = [call.body for call in fleet.created()]
    assert sorted(set(body) - {"phone_numbers"} for body in bodies if isinstance(body, dict)) == [
        {"connection_id"},
        {"connection_id", "customer_reference"},
    ]


async def test_who_asked_for_what_is_in_the_audit_log(fleet: Stage) -> None:
    """The wish and its answer are events of their own, with who asked and how many numbers were sent."""
    await values(fleet, tag="denver")
    await fleet.stop()

    with closing(sqlite3.connect(fleet.database)) as database:
        events = database.execute("SELECT what, actor, details FROM events WHERE change_id IS NULL ORDER BY id")
        told = [(what, actor, json.loads(details)) for what, actor, details in events]
    assert told == [
        ("values_asked", "U0ANA", {"value_export": 1, "kind": "telnyx.settings"}),
        ("values_answered", "linesman", {"value_export": 1, "numbers": 6}),
    ]


async def test_more_numbers_than_one_change_may_have_are_refused(idle: Stage) -> None:
    """A sheet that could not be uploaded again is not made."""
    await idle.start(LINESMAN_MAX_NUMBERS="5")
    idle.telnyx.add_numbers(6, start=NUMBERS[0], tags=["denver"])
    await idle.ana.command("/numbers", "values update", channel=OPS)
    await idle.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await idle.ana.choose("filters", ["tag"])
    await idle.ana.wait_for_view(lambda view: ("filter:tag", "filter:") in view.form.slots)
    await idle.ana.suggest("filter:tag", "")
    await idle.ana.choose("filter:tag", "denver")
    await idle.send()
    place = idle.slack.direct_message("U0ANA")
    await idle.slack.wait_for(lambda: idle.slack.messages(place), what="an answer")

    assert "That is more than 5 numbers, the limit for one change." in idle.slack.messages(place)[0].text


async def test_a_list_gives_its_numbers_and_names_those_that_are_not_ours(fleet: Stage) -> None:
    """Numbers may follow the command; one that is not in the account is told beside the sheet."""
    sheet = await values(fleet, f"update {NUMBERS[1]} {NUMBERS[4]} +13035559999")

    (said,) = [each for each in fleet.slack.messages(fleet.slack.direct_message("U0ANA")) if sheet in each.files]
    assert [row["number"] for row in table(sheet.content)] == [NUMBERS[1], NUMBERS[4]]
    assert "Current values of 2 numbers at Telnyx" in said.text
    assert "1 number is not in the Telnyx account, or cannot be changed there now: +13035559999." in said.text


async def test_the_emergency_kind_has_its_own_columns(fleet: Stage) -> None:
    """Each kind's sheet has the settings of that kind."""
    sheet = await values(fleet, "emergency", tag="denver")

    assert list(table(sheet.content)[0]) == ["number", "Emergency service", "Emergency address"]


async def test_a_sheet_of_values_is_sent_once_although_an_answer_is_lost(fleet: Stage) -> None:
    """When Slack's answer to the last step is lost, the file is found in the direct message."""
    lost = fleet.slack.faults.add(method="files.completeUploadExternal", kind="drop_after")

    await values(fleet, tag="denver")
    await fleet.slack.wait_for(
        lambda: any(call.method == "conversations.history" for call in fleet.slack.calls), what="a look for the file"
    )
    await fleet.quiet()

    assert lost.fired == 1
    assert len(mail(fleet, "-values-1.csv")) == 1


async def test_the_wish_survives_a_crash(fleet: Stage) -> None:
    """What was asked for before the crash is answered after it."""
    slow = fleet.slack.faults.add(method="conversations.open", kind="delay", seconds=30)
    await fleet.ana.command("/numbers", f"values update {NUMBERS[0]}", channel=OPS)
    await fleet.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await fleet.send()
    await fleet.slack.wait_for(lambda: slow.fired, what="an answer on its way")

    await fleet.crash()
    await fleet.start()

    await fleet.slack.wait_for(lambda: mail(fleet, "-values-1.csv"), what="the sheet")


async def test_a_wish_that_fails_again_and_again_is_answered_with_a_word(fleet: Stage) -> None:
    """Whoever waits for the sheet hears that it does not come, and the audit log counts no numbers."""
    slow = fleet.slack.faults.add(method="conversations.open", kind="delay", seconds=30)
    await fleet.ana.command("/numbers", f"values update {NUMBERS[0]}", channel=OPS)
    await fleet.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await fleet.send()
    await fleet.slack.wait_for(lambda: slow.fired, what="an answer on its way")

    await fleet.crash()
    await fleet.tamper("UPDATE tasks SET attempts = 5 WHERE task = 'export_values'")
    await fleet.start()

    await fleet.slack.wait_for(
        lambda: any("could not be sent because of an internal error" in each.text for each in fleet.everything()),
        what="the answer",
    )
    await fleet.quiet()
    await fleet.stop()
    with closing(sqlite3.connect(fleet.database)) as database:
        ((details,),) = database.execute("SELECT details FROM events WHERE what = 'values_answered'").fetchall()
    assert json.loads(details)["numbers"] == 0


@pytest.mark.parametrize(
    ("numbers", "problem"),
    [("", "Paste at least one number"), ("+1303555", "1 entry cannot be read")],
)
async def test_what_cannot_be_asked_for_is_said_at_the_field(fleet: Stage, numbers: str, problem: str) -> None:
    """Nothing is read while the form does not say of what."""
    await fleet.ana.command("/numbers", f"values update {numbers}", channel=OPS)
    await fleet.ana.wait_for_view(lambda view: view.callback_id == "values_form")

    assert problem in (await fleet.refused())["numbers:0"]


async def test_exclusions_that_may_have_been_cut_off_are_refused(fleet: Stage) -> None:
    """A box that is full is not read, so no sheet comes with numbers that somebody meant to leave out."""
    await fleet.ana.command("/numbers", "values update +13035550000")
    await fleet.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await fleet.ana.type("excluded", ("+13035550001\n" * 231)[:3000])

    errors = await fleet.refused()

    assert list(errors) == ["excluded"]
    assert "may have been cut off" in errors["excluded"]


async def test_what_the_provider_refuses_is_told(fleet: Stage) -> None:
    """Numbers none of which is ours give no sheet but a sentence in the direct message."""
    await fleet.ana.command("/numbers", "values update +13035559999", channel=OPS)
    await fleet.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await fleet.send()
    place = fleet.slack.direct_message("U0ANA")
    await fleet.slack.wait_for(lambda: fleet.slack.messages(place), what="an answer")

    assert fleet.slack.messages(place)[0].text == (
        "The sheet of current values could not be created: 1 number is not in the Telnyx account, or cannot be changed "
        "there now: "
        "+13035559999."
    )


async def test_only_who_may_start_a_change_gets_values(fleet: Stage) -> None:
    """Sam may start nothing, so he reads why in the modal instead of a form."""
    await fleet.sam.command("/numbers", "values", channel=OPS)
    await fleet.sam.wait_for_view(lambda view: view.callback_id == "notice")

    assert "🚫" in fleet.modal(fleet.sam)
    assert fleet.sam.view is not None
    assert fleet.sam.view.callback_id == "notice"


@pytest.mark.parametrize("word", ["emergency", "telnyx.emergency", "Update emergency service"])
async def test_a_template_arrives_and_can_be_uploaded(fleet: Stage, word: str) -> None:
    """The empty sheet has every column of the kind, whichever way the kind is called."""
    said = await fleet.command(f"sheet {word}")

    (sheet,) = mail(fleet, "emergency-sheet.csv")
    assert said == "The empty sheet is in your direct message with Linesman."
    assert sheet.content.decode("utf-8-sig").strip() == "number,Emergency service,Emergency address"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("sheet", "Name the kind of change. Choose one: /numbers sheet update, /numbers sheet emergency"),
        ("sheet <!channel>", "Unknown kind of change <!channel>. Choose one: /numbers sheet update,"),
    ],
)
async def test_an_unknown_kind_is_answered_with_those_that_there_are(fleet: Stage, text: str, answer: str) -> None:
    """Whatever was typed is shown as text, and calls nobody."""
    assert (await fleet.command(text)).replace("`", "").startswith(answer)

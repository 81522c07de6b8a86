"""The message shortcut: numbers out of any message, and never silently fewer than there are."""

from __future__ import annotations

from bot.sandbox.slack import Message, View
from bot.slack.views.form import MOST_BOXES
from bot.slack.views.inputs import BOX_LENGTH
from tests.integration.scenarios.stage import OPS, Stage

ONE, TWO, THREE = "+13035550000", "+13035550001", "+13035550002"


def said_by_another_app(stage: Stage) -> Message:
    """Return a message with numbers in its text, its blocks and its attachments."""
    message = stage.sam.post(OPS, f"Ticket 4711 for <@U0ANA>: *{ONE}*, see <https://crm.example/14155550199|the list>")
    message.blocks = [
        {
            "type": "section",
            "block_id": "b1",
            "text": {"type": "mrkdwn", "text": f"Also <tel:{TWO}|(303) 555-0001>"},
            "fields": [{"type": "mrkdwn", "text": f"*Number*\n{ONE}"}],
        }
    ]
    message.attachments = [{"fields": [{"title": "Number", "value": THREE}], "fallback": "nothing"}]
    return message


async def chosen(stage: Stage, message: Message) -> View:
    """Choose "Change these numbers" from a message's menu and return what is shown."""
    await stage.ana.message_shortcut("change_these", message=message)
    return await stage.ana.wait_for_view(lambda view: view.callback_id != "loading")


async def test_numbers_are_read_out_of_text_blocks_and_attachments(stage: Stage) -> None:
    """Each once, without the prose around them, mentions, links and ticket numbers; ready to be planned."""
    stage.telnyx.add_numbers(3, start=ONE)

    view = await chosen(stage, said_by_another_app(stage))
    box = view.form.slot("numbers:0").value
    await stage.fill(None, {"customer_reference": "Denver"}, "Because")
    await stage.send()

    assert box == f"{ONE}\n{TWO}\n{THREE}"
    assert "Numbers: 3 " in stage.read(await stage.planned())


async def test_a_message_without_numbers_is_said_to_have_none(stage: Stage) -> None:
    """No empty form is opened; a file that is no sheet does not count as one."""
    nothing = await chosen(stage, stage.sam.post(OPS, "Good morning, 3 of us are late"))
    said = stage.read(nothing)
    await stage.ana.close()
    files = await chosen(stage, stage.sam.post(OPS, "The list", files=[("numbers.pdf", b"+13035550000\n")]))

    assert "There are no phone numbers in this message." in said
    assert "“numbers.pdf” is neither CSV nor XLSX." in stage.read(files)


async def test_more_than_fit_are_not_taken_in_part(stage: Stage) -> None:
    """It is said how many there are and how many fit, and nothing is opened with some of them."""
    message = stage.sam.post(OPS, "From the export:")
    numbers = [f"+1303555{i:04}" for i in range(6000)]
    message.attachments = [{"text": "\n".join(numbers[start : start + 600])} for start in range(0, 6000, 600)]

    view = await chosen(stage, message)

    assert "This message has 6,000 numbers, but the form holds only 4," in stage.read(view)
    assert view.callback_id == "notice"


async def test_one_number_too_many_is_noticed(stage: Stage) -> None:
    """What fills the form to its last line opens it; one number more does not, for it would be lost."""
    room = MOST_BOXES * ((BOX_LENGTH - 1) // len(f"{ONE}\n"))
    numbers = [f"+1303555{i:04}" for i in range(room + 1)]
    message = stage.sam.post(OPS, "From the export:")
    message.attachments = [{"text": "\n".join(numbers)}]

    over = stage.read(await chosen(stage, message))
    await stage.ana.close()
    message.attachments = [{"text": "\n".join(numbers[:-1])}]
    full = await chosen(stage, message)

    assert f"This message has {room + 1:,} numbers, but the form holds only {room:,}." in over
    assert str(full.form.slot(f"numbers:{MOST_BOXES - 1}").value).endswith(numbers[-2])


async def test_what_looks_like_a_number_and_cannot_be_read_is_named(stage: Stage) -> None:
    """Above the form when there are others, alone when there are none."""
    some = await chosen(stage, stage.sam.post(OPS, f"{ONE}, and +1 303 555 00011 as well"))
    shown = stage.read(some)
    box = some.form.slot("numbers:0").value
    await stage.ana.close()
    none = await chosen(stage, stage.sam.post(OPS, "+1 303 555 00011"))

    assert box == ONE
    assert "Not taken from the message, because it cannot be read: +1 303 555 00011" in shown
    assert none.callback_id == "notice"
    assert "There are no phone numbers in this message. Not taken" in stage.read(none)


async def test_files_that_do_not_count_are_named(stage: Stage) -> None:
    """One change takes one sheet; of every other file the form says why it is not in it."""
    sheet = b"number\n+13035550000\n"
    two = stage.sam.post(OPS, "Two lists", files=[("a.csv", sheet), ("b.csv", sheet)])
    lists = stage.read(await chosen(stage, two))
    await stage.ana.close()
    old = stage.sam.post(OPS, f"{ONE} and the 500 in the file", files=[("list.xls", b"\xd0\xcf\x11\xe0")])
    beside = await chosen(stage, old)

    assert "a.csv is attached" in lists
    assert "“b.csv” is another sheet, and a change takes one." in lists
    assert beside.form.slot("numbers:0").value == ONE
    assert "“list.xls” is neither CSV nor XLSX." in stage.read(beside)


async def test_ends_of_numbers_are_named(stage: Stage) -> None:
    """Nobody guesses the number that only its end stands for, and nobody has to miss it in the form."""
    view = await chosen(stage, stage.sam.post(OPS, "Please move 303-555-0000, 0001, 02 and -03 to Bo by 5"))

    assert view.form.slot("numbers:0").value == ONE
    said = stage.read(view)
    assert "because it cannot be read: 0001 is too short for a phone number; 02" in said
    assert "-03" in said


async def test_a_forwarded_message_gives_its_sheet_and_its_numbers(stage: Stage) -> None:
    """Slack puts the original into an attachment, its files with it."""
    original = stage.sam.post(OPS, "The list", files=[("a.csv", b"number\n+13035550000\n")])
    forwarded = stage.slack.workspace.message_json(original)
    message = stage.sam.post(OPS, "fyi")
    message.attachments = [{"is_share": True, "text": f"The list, and {TWO}", "files": forwarded["files"]}]

    view = await chosen(stage, message)

    assert "a.csv is attached" in stage.read(view)
    assert view.form.slot("numbers:0").value == TWO


async def test_who_may_not_ask_for_changes_is_told_so(stage: Stage) -> None:
    """The shortcut is in everybody's menu; the answer is in the modal."""
    message = stage.ana.post(OPS, ONE)

    await stage.sam.message_shortcut("change_these", message=message)
    await stage.sam.wait_for_view(lambda view: view.callback_id == "notice")

    assert "You may not request changes" in stage.modal(stage.sam)

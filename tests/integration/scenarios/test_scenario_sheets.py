"""Numbers and values by a sheet: uploaded, planned in the fewest jobs, and handed back when something is wrong."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence

import pytest
from openpyxl import Workbook, load_workbook

from bot.changes.sheets import rows
from bot.sandbox.slack import View
from bot.sandbox.slack.records import File
from tests.integration.scenarios.stage import OPS, Stage
from tests.integration.scenarios.steps import carried_out

NUMBERS = [f"+1303555{index:04}" for index in range(10)]


@pytest.fixture
async def fleet(stage: Stage) -> Stage:
    """Set up ten numbers and two connections."""
    stage.telnyx.add_numbers(10, start=NUMBERS[0], tags=["denver"])
    stage.telnyx.add_connection("Denver PBX")
    return stage


def text(*rows: Sequence[str], delimiter: str = ",") -> bytes:
    """Return rows as CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


def book(*rows: Sequence[object], **others: Sequence[Sequence[object]]) -> bytes:
    """Return rows as a workbook, with the sheets ``others`` behind."""
    workbook = Workbook(write_only=True)
    for title, held in {"Numbers": rows, **others}.items():
        page = workbook.create_sheet(title)
        for row in held:
            page.append(list(row))
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def cells(content: bytes) -> list[list[str]]:
    """Return the rows of a CSV file."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def attach(stage: Stage, content: bytes, name: str = "moves.csv", *, turn: int = 0) -> None:
    """Put a sheet into the form that is open."""
    await stage.ana.wait_for_view(lambda view: (f"sheet:{turn}", "sheet") in view.form.slots)
    await stage.ana.attach(f"sheet:{turn}", (name, content))


async def plan(
    stage: Stage,
    content: bytes,
    name: str = "moves.csv",
    *,
    numbers: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> View:
    """Plan what a sheet says, beside what the form says."""
    await stage.open()
    await attach(stage, content, name)
    await stage.fill(numbers, settings, "As the sheet says")
    await stage.send()
    return await stage.planned()


async def edited(stage: Stage) -> View:
    """Press Edit and return the form."""
    await stage.ana.click("edit")
    return await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")


def references(stage: Stage) -> list[str]:
    """Return today's customer references."""
    return [number.customer_reference or "" for number in stage.telnyx.numbers.values()]


def handed_back(stage: Stage, change: int) -> list[File]:
    """Return the files with errors that Ana got in her direct message."""
    place = stage.slack.direct_message(stage.ana.id)
    return [
        file for file in stage.slack.files if file.name.startswith(f"CHG-{change}-errors") and file.channel == place
    ]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_rows_carry_their_own_values_in_the_fewest_jobs(fleet: Stage, form: str) -> None:
    """Ten numbers with two different values make two jobs, and each number gets the value of its row."""
    rows = [("Number", "CUSTOMER reference"), *((number, f"site {i % 2}") for i, number in enumerate(NUMBERS))]
    content = text(*rows, delimiter=";") if form == "csv" else book(*rows)

    shown = fleet.read(await plan(fleet, content, f"moves.{form}"))
    assert "Customer reference → 2 different values, number by number" in shown
    assert "Numbers: 10" in shown

    change = await carried_out(fleet)

    assert references(fleet) == ["site 0", "site 1"] * 5
    assert len(fleet.created()) == 2
    assert fleet.outcomes(change) == {"verified": 10}
    fleet.assert_nothing_doubled()


async def test_a_sheet_a_list_a_filter_and_exclusions_go_together(fleet: Stage) -> None:
    """A row's own value goes before the form's; everything else that is meant gets the form's value."""
    fleet.telnyx.number(NUMBERS[4]).tags = ["boulder"]
    fleet.telnyx.number(NUMBERS[5]).tags = []
    await fleet.open()
    await attach(
        fleet, text(("number", "customer reference"), (NUMBERS[0], "own"), (NUMBERS[1], ""), (NUMBERS[2], "x"))
    )
    await fleet.ana.type("numbers:0", NUMBERS[5])
    await fleet.ana.choose("filters", ["tag"])
    await fleet.ana.wait_for_view(lambda view: ("excluded", "excluded") in view.form.slots)
    await fleet.ana.suggest("filter:tag", "")
    await fleet.ana.choose("filter:tag", "boulder")
    await fleet.ana.type("excluded", NUMBERS[2])
    await fleet.fill(None, {"customer_reference": "common"}, "All of it")
    assert "moves.csv is attached" in fleet.modal()
    await fleet.send()

    shown = fleet.read(await fleet.planned())
    assert "the value in the sheet; common for the rest" in shown
    await carried_out(fleet)

    assert references(fleet) == ["own", "common", "", "", "common", "common", "", "", "", ""]


async def test_a_sheet_with_problems_comes_back_marked_and_its_correction_is_planned(fleet: Stage) -> None:
    """The modal names the first problems; the file in the direct message has all of them beside their rows."""
    rows = [("number", "hd voice"), *((number, "perhaps") for number in NUMBERS[:7]), ("1.97056E+10", "on")]
    shown = fleet.read(await plan(fleet, text(*rows)))
    assert "The sheet has 8 problems:\n• row 2, hd voice:" in shown
    assert "and 3 more" in shown

    await fleet.quiet()
    (file,) = handed_back(fleet, 1)
    marked = cells(file.content)
    assert file.name == "CHG-1-errors.csv"
    assert marked[0] == ["number", "hd voice", "Errors"]
    assert all(row[2].startswith("hd voice: ") for row in marked[1:8])
    assert "digits are lost" in marked[8][2]

    await edited(fleet)
    assert "moves.csv is attached" in fleet.modal()
    repaired = [marked[0], *([number, "on", error] for number, _, error in marked[1:8])]
    await attach(fleet, text(*repaired), "repaired.csv")
    await fleet.send()
    assert "HD voice → the value in the sheet" in fleet.read(await fleet.planned())
    await carried_out(fleet)

    assert [number.hd_voice_enabled for number in fleet.telnyx.numbers.values()] == [True] * 7 + [False] * 3
    assert len(fleet.created()) == 1


async def test_a_workbook_comes_back_as_a_workbook(fleet: Stage) -> None:
    """What was uploaded as XLSX is handed back as XLSX, with the same rows."""
    await plan(fleet, book(("number", "hd voice"), (NUMBERS[0], "on"), (NUMBERS[1], "perhaps")), "moves.xlsx")
    await fleet.quiet()

    (file,) = handed_back(fleet, 1)

    page = load_workbook(io.BytesIO(file.content)).active
    assert file.name == "CHG-1-errors.xlsx"
    assert page is not None
    assert [[cell.value for cell in row][:2] for row in page.rows] == [
        ["number", "hd voice"],
        [NUMBERS[0], "on"],
        [NUMBERS[1], "perhaps"],
    ]
    assert str(page["C3"].value).startswith("hd voice: ")


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
async def test_the_marked_sheet_arrives_exactly_once(fleet: Stage, fault: str) -> None:
    """When Slack's answer to the last step is lost, the file is looked for before it is sent again."""
    lost = fleet.slack.faults.add(method="files.completeUploadExternal", kind=fault)  # type: ignore[arg-type]

    await plan(fleet, text(("number", "hd voice"), (NUMBERS[0], "perhaps")))
    await fleet.quiet()

    assert lost.fired == 1
    assert len(handed_back(fleet, 1)) == 1


async def test_the_marked_sheet_survives_a_crash(fleet: Stage) -> None:
    """What was decided before the crash is delivered after it, once."""
    slow = fleet.slack.faults.add(method="files.getUploadURLExternal", kind="delay", seconds=30)
    await plan(fleet, text(("number", "hd voice"), (NUMBERS[0], "perhaps")))
    await fleet.slack.wait_for(lambda: slow.fired, what="the upload's first step")

    await fleet.crash()
    await fleet.start()
    await fleet.slack.wait_for(lambda: handed_back(fleet, 1), what="the marked sheet")
    await fleet.quiet()

    assert len(handed_back(fleet, 1)) == 1


class TestTheForm:
    """A sheet that was uploaded stays with the form, and can be replaced or taken away."""

    async def test_it_stays_when_the_form_is_drawn_anew(self, fleet: Stage) -> None:
        """Choosing settings, another kind and more boxes keeps the sheet."""
        await fleet.open()
        await attach(fleet, text(("number", "customer reference"), (NUMBERS[0], "own")))
        await fleet.choose(["tags"])
        await fleet.ana.click("more_numbers")
        await fleet.ana.wait_for_view(lambda view: ("numbers:1", "numbers") in view.form.slots)
        await fleet.ana.choose("kind", "telnyx.emergency")
        await fleet.ana.wait_for_view(lambda view: ("value:emergency_enabled", "value:") in view.form.slots)
        await fleet.ana.choose("kind", "telnyx.settings")
        await fleet.ana.wait_for_view(lambda view: ("settings", "settings") in view.form.slots)
        assert "moves.csv is attached. Upload another one to replace it." in fleet.modal()

        await fleet.ana.type("reason", "As the sheet says")
        await fleet.send()

        assert "Customer reference → the value in the sheet" in fleet.read(await fleet.planned())

    async def test_it_is_replaced_by_another(self, fleet: Stage) -> None:
        """Of two sheets, one after the other, the second counts."""
        await plan(fleet, text(("number", "customer reference"), (NUMBERS[0], "first")))
        await edited(fleet)
        await attach(fleet, text(("number", "customer reference"), (NUMBERS[0], "second")), "second.csv")
        await fleet.ana.click("more_numbers")
        await fleet.ana.wait_for_view(lambda _: "second.csv is attached" in fleet.modal())
        await fleet.send()

        assert "second" in fleet.read(await fleet.planned())

    async def test_it_is_taken_away(self, fleet: Stage) -> None:
        """Without the sheet the numbers of the form are all that is meant, and an input is empty again."""
        await fleet.open()
        await attach(fleet, text(("number", "customer reference"), (NUMBERS[0], "own")))
        await fleet.fill(NUMBERS[1], {"customer_reference": "typed"}, "Rather not the sheet")
        await fleet.ana.click("take_sheet_away")
        await fleet.ana.wait_for_view(lambda _: "is attached" not in fleet.modal())
        await fleet.send()
        await fleet.planned()
        await carried_out(fleet)

        assert references(fleet)[:2] == ["", "typed"]

    async def test_it_stays_through_plan_again(self, fleet: Stage) -> None:
        """A plan that failed for another reason is made again from the same sheet."""
        content = text(("number", "customer reference"), (NUMBERS[0], "own"), ("+13035559999", "not ours"))
        assert "1 of 2 numbers is not in the Telnyx account" in fleet.read(await plan(fleet, content))

        await fleet.ana.click("leave_out")
        view = await fleet.ana.wait_for_view(lambda view: "Request approval" in fleet.read(view))

        assert "Numbers: 1" in fleet.read(view)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            [("moves.pdf", b"%PDF-1.7")],
            "“moves.pdf” is neither CSV nor XLSX. Save the sheet as CSV or XLSX and upload that.",
        ),
        ([("moves.xls", b"x")], "“moves.xls” is neither CSV nor XLSX. Save the sheet as CSV or XLSX and upload that."),
        ([("notes.txt", b"x")], "“notes.txt” is neither CSV nor XLSX. Save the sheet as CSV or XLSX and upload that."),
        ([("moves.csv", b"")], "“moves.csv” is empty. Save the sheet again and upload it."),
    ],
)
async def test_what_is_no_sheet_is_answered_at_the_field(
    fleet: Stage, files: list[tuple[str, bytes]], problem: str
) -> None:
    """Slack's choice of file types is a convenience only, so what arrives is looked at before anything is planned."""
    await fleet.open()
    await fleet.ana.attach("sheet:0", *files)
    await fleet.ana.type("reason", "why")

    assert await fleet.refused() == {"sheet:0": problem}


async def test_a_sheet_says_where_help_is_sent_to(fleet: Stage) -> None:
    """The emergency form need not be filled in when the sheet has it all, one address for each number."""
    homes = [fleet.telnyx.add_address(f"{number} Main St") for number in (100, 200)]
    rows = [(number, "on", str(homes[index % 2].id)) for index, number in enumerate(NUMBERS[:4])]
    await fleet.open("emergency")
    await attach(fleet, text(("number", "emergency service", "emergency address"), *rows))
    await fleet.ana.type("reason", "Moved")
    await fleet.send()
    assert "100 Main St" in fleet.read(await fleet.planned())

    await carried_out(fleet)

    assert [fleet.telnyx.number(number).emergency_address_id for number in NUMBERS[:4]] == [
        homes[0].id,
        homes[1].id,
        homes[0].id,
        homes[1].id,
    ]
    assert len(fleet.created()) == 2


async def test_tags_in_another_order_are_one_job(fleet: Stage) -> None:
    """Rows that give the same tags are one value, one job, and verified whatever order the carrier tells."""
    rows = [(number, "east; vip" if index % 2 else "vip; east") for index, number in enumerate(NUMBERS)]

    shown = fleet.read(await plan(fleet, text(("number", "tags"), *rows)))
    assert "different values" not in shown
    change = await carried_out(fleet)

    assert len(fleet.created()) == 1
    assert fleet.outcomes(change) == {"verified": 10}


async def test_a_number_in_a_list_and_in_a_sheet_is_left_out_once(fleet: Stage) -> None:
    """What is excluded is one number, however often it was given."""
    await fleet.open()
    await attach(fleet, text(("number", "customer reference"), *((number, "x") for number in NUMBERS[:4])))
    await fleet.ana.type("excluded", NUMBERS[0])
    await fleet.fill("\n".join(NUMBERS[:2]), {"customer_reference": "y"}, "All but one")
    await fleet.send()

    assert "1 number is excluded (" in fleet.read(await fleet.planned())


async def test_a_sheet_with_nothing_to_do_says_so(fleet: Stage) -> None:
    """A sheet whose values are today's plans nothing."""
    for number in fleet.telnyx.numbers.values():
        number.customer_reference = "as is"

    shown = fleet.read(await plan(fleet, text(("number", "customer reference"), *((n, "as is") for n in NUMBERS))))

    assert "Nothing to do: all 10 numbers already have these values." in shown


async def test_one_problem_of_a_sheet_is_one_sentence(fleet: Stage) -> None:
    """It ends with one full stop, and what happens to the sheet is said behind it."""
    shown = fleet.read(await plan(fleet, text(("number", "tags"), (NUMBERS[0], "x"), ("Total", ""))))

    assert "The sheet has 1 problem: row 3, number: “Total” is not a phone number. You get it back in" in shown


async def test_a_sheet_that_is_wrong_everywhere_says_how_many_problems_are_not_in_the_file(
    fleet: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every one of a million problems can be kept; how many there are is said all the same."""
    monkeypatch.setattr(rows, "MOST_PROBLEMS", 6)
    shown = fleet.read(await plan(fleet, text(("number", "hd voice"), *((number, "?") for number in NUMBERS))))
    assert "The sheet has 10 problems:" in shown
    assert "and 5 more" in shown
    assert "Only the first 6 are in it." in shown

    await fleet.quiet()
    (file,) = handed_back(fleet, 1)
    assert [bool(row[2]) for row in cells(file.content)[1:]] == [True] * 6 + [False] * 4


async def test_a_sheet_of_numbers_alone_takes_its_values_from_the_form(fleet: Stage) -> None:
    """A column of numbers is enough when the form says what they get; otherwise the answer says what is missing."""
    content = text(("number",), *((number,) for number in NUMBERS))
    shown = fleet.read(await plan(fleet, content))
    assert "The sheet has numbers but no values: fill in a column, or choose settings in the form." in shown

    await edited(fleet)
    await fleet.choose(["customer_reference"])
    await fleet.set("customer_reference", "typed")
    await fleet.send()
    await fleet.planned()
    await carried_out(fleet)

    assert references(fleet) == ["typed"] * 10


async def test_a_sheet_in_a_message_is_taken_from_there(fleet: Stage) -> None:
    """The shortcut on a message with a sheet opens the form with that sheet, whatever else was posted with it."""
    content = text(("number", "customer reference"), (NUMBERS[0], "own"))
    posted = fleet.sam.post(OPS, "", files=[("floor.png", b"x"), ("moves.csv", content)])

    await fleet.ana.message_shortcut("change_these", message=posted)
    await fleet.ana.wait_for_view(lambda _: "moves.csv is attached" in fleet.modal())
    await fleet.ana.type("reason", "As Sam says")
    await fleet.send()

    assert "Customer reference → the value in the sheet" in fleet.read(await fleet.planned())


async def test_a_sheet_from_a_connected_workspace_is_taken(fleet: Stage) -> None:
    """The message tells only the id of such a file; Slack is asked for the rest, and it is planned like any other."""
    posted = fleet.sam.post(OPS, "", files=[("moves.csv", text(("number", "customer reference"), (NUMBERS[0], "own")))])
    posted.files[0].connect = True

    await fleet.ana.message_shortcut("change_these", message=posted)
    await fleet.ana.wait_for_view(lambda _: "sheet is attached" in fleet.modal())
    await fleet.ana.type("reason", "As Sam says")
    await fleet.send()

    assert "Customer reference → the value in the sheet" in fleet.read(await fleet.planned())


def bomb() -> bytes:
    """Return a workbook that unpacks to far more than it is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 20_000_000)
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64)
SAVE_AS = "Save the sheet as CSV or XLSX and upload that."
BAD: Mapping[str, tuple[bytes, str]] = {
    "bomb.xlsx": (
        bomb(),
        "unpacks to far more than a sheet of numbers needs. Copy the table into a new sheet and upload that.",
    ),
    "locked.xlsx": (
        OLE + "EncryptedPackage".encode("utf-16-le"),
        "is protected with a password. Remove the password and upload it again.",
    ),
    "old.csv": (OLE + "Workbook".encode("utf-16-le"), f"is a workbook in the old .xls format. {SAVE_AS}"),
    "page.csv": (
        b"<html><table><tr><td>+13035550000</td></tr></table></html>",
        f"is a web page, not a sheet. {SAVE_AS}",
    ),
    "binary.csv": (bytes(range(256)) * 8, f"is not text and not a workbook. {SAVE_AS}"),
    "packed.csv": (b"\x1f\x8b\x08" + bytes(40), f"is a compressed file, not a sheet. {SAVE_AS}"),
    "wide.csv": (
        text(("number", "colour"), (NUMBERS[0], "red")),
        "The column “colour” (B) is not a setting of this change; rename it to one, or leave it out.",
    ),
}


async def test_a_file_that_is_no_sheet_is_refused_in_plain_words(fleet: Stage) -> None:
    """Whatever the name says, the bytes are looked at, and the modal says what the file is."""
    said: dict[str, str] = {}
    for name, (content, _) in BAD.items():
        shown = fleet.read(await plan(fleet, content, name))
        said[name] = shown.split("Nothing was changed.\n")[1].split("\n[Edit]")[0].replace("\n", " ")
        await fleet.ana.close(everything=True)

    for name, (_, sentence) in BAD.items():
        assert said[name].strip("` ").removeprefix(f"“{name}” ") == sentence
    assert [call for call in fleet.telnyx.calls if "phone_numbers" in call.path] == []


async def test_a_sheet_that_slack_hands_out_late_is_planned(fleet: Stage) -> None:
    """A fault of Slack's is waited for; the person notices nothing but the time."""
    fault = fleet.slack.faults.add(method="download", kind="status", status=503, times=2)

    shown = fleet.read(await plan(fleet, text(("number", "customer reference"), (NUMBERS[0], "own"))))

    assert fault.fired == 2
    assert "Request approval" in shown


async def test_a_sheet_that_slack_never_hands_out_is_given_up(fleet: Stage) -> None:
    """After a few tries the modal says so, and how to try again."""
    fleet.slack.faults.add(method="download", kind="status", status=503, times=99)

    shown = fleet.read(await plan(fleet, text(("number", "customer reference"), (NUMBERS[0], "own"))))

    assert "Slack did not deliver “moves.csv” (HTTP 503). Press “Plan again” in a minute." in shown


async def test_long_planning_says_how_far_it_is(idle: Stage) -> None:
    """While Telnyx is slow the modal says how many numbers were read, in few edits; then the plan takes its place."""
    numbers = [number.phone_number for number in idle.telnyx.add_numbers(1500, start="+13035550000")]
    await idle.start(LINESMAN_CARD_SECONDS="0.1")
    idle.telnyx.faults.add(kind="delay", path="/phone_numbers", seconds=0.6, times=None)
    await idle.open()
    await attach(idle, text(("number", "customer reference"), *((number, "own") for number in numbers)))
    await idle.ana.type("reason", "As the sheet says")
    await idle.send()

    view = await idle.ana.wait_for_view(lambda view: "numbers read from Telnyx" in idle.read(view))
    assert "of 1,500 numbers read from Telnyx. Nothing is changed yet." in idle.read(view)
    assert "Numbers: 1,500" in idle.read(await idle.planned())
    await idle.quiet()
    assert "Numbers: 1,500" in idle.modal()
    assert idle.slack.complaints == []


@pytest.mark.parametrize(
    "west",
    [
        [("West region",), ("number", "customer reference"), (NUMBERS[1], "west")],
        [(NUMBERS[1],), (NUMBERS[2],)],
    ],
    ids=["a title above its headings", "no headings"],
)
async def test_numbers_in_another_sheet_of_a_workbook_are_not_passed_over(
    fleet: Stage, west: Sequence[Sequence[object]]
) -> None:
    """Whichever form they have there, the plan waits until it is clear which sheet is meant."""
    content = book(("number", "customer reference"), (NUMBERS[0], "east"), West=west)

    shown = fleet.read(await plan(fleet, content, "regions.xlsx"))

    assert "“regions.xlsx” has numbers in 2 sheets: “Numbers”, “West”. Keep only the one that you mean." in shown
    assert "Request approval" not in shown


async def test_foreign_columns_are_left_out_with_one_press(fleet: Stage) -> None:
    """An export of another system is planned with all that was typed, once its columns were seen and left out."""
    ten = [f"Their column {i}" for i in range(10)]
    rows = [(number, *("x" * 10), "ours") for number in NUMBERS]
    content = text(("TelephoneNumber", *ten, "Customer reference"), *rows)
    shown = await plan(fleet, content, settings={"voice.caller_id_name_enabled": "true"})

    assert all(f"“{heading}”" in fleet.read(shown) for heading in ten)
    assert "10 columns are not settings of this change" in fleet.read(shown)
    assert "[Leave out 10 columns and plan the rest]" in fleet.read(shown)

    await fleet.ana.click("leave_out")
    again = fleet.read(await fleet.ana.wait_for_view(lambda view: bool(view.content.get("submit"))))

    assert "the sheet was read without its 10 columns “Their column 0”" in again
    assert "“Their column 9”" in again
    change = await carried_out(fleet)

    assert references(fleet) == ["ours"] * 10
    assert all(number.voice.caller_id_name_enabled for number in fleet.telnyx.numbers.values())
    assert fleet.outcomes(change) == {"verified": 10}
    fleet.assert_nothing_doubled()


async def test_columns_that_were_left_out_stay_out_when_the_plan_is_edited(fleet: Stage) -> None:
    """The form says without which columns the sheet counts; another sheet is read anew."""
    content = text(("number", "Zip", "customer reference"), (NUMBERS[0], "80202", "ours"))
    await plan(fleet, content)
    await fleet.ana.click("leave_out")
    await fleet.ana.wait_for_view(lambda view: bool(view.content.get("submit")))

    form = await edited(fleet)
    assert "moves.csv is attached, without its columns Zip." in fleet.read(form)
    await fleet.fill(None, None, "As the corrected sheet says")
    await fleet.send()
    assert "the sheet was read without its column “Zip”" in fleet.read(await fleet.planned())

    await edited(fleet)
    await attach(fleet, content)
    await fleet.send()
    assert "The column “Zip” (B) is not a setting of this change" in fleet.read(await fleet.planned())


async def test_rows_of_a_sheet_whose_columns_were_left_out_come_back_marked(fleet: Stage) -> None:
    """With all of its columns, and with what is wrong in the ones that are read."""
    content = text(("number", "Zip", "HD voice"), (NUMBERS[0], "80202", "perhaps"))
    await plan(fleet, content)

    await fleet.ana.click("leave_out")
    shown = await fleet.ana.wait_for_view(lambda _: "HD voice must be on or off" in fleet.modal())

    assert "Leave out" not in fleet.read(shown)
    await fleet.quiet()
    (marked,) = handed_back(fleet, 2)
    assert cells(marked.content)[0] == ["number", "Zip", "HD voice", "Errors"]


async def test_ids_that_are_not_this_accounts_give_way_to_the_numbers(fleet: Stage) -> None:
    """An id that Telnyx does not know is some other system's, whatever its form: the number counts, which is said."""
    ids = [str(1_900_000_000_000_000_001 + index) for index in range(3)]
    rows = [
        *zip(ids, NUMBERS[:3], strict=True),
        ("CRM-7", NUMBERS[3]),
        (fleet.telnyx.number(NUMBERS[4]).id, NUMBERS[4]),
    ]
    content = text(("id", "number", "customer reference"), *((*row, "own") for row in rows))

    shown = fleet.read(await plan(fleet, content))

    assert "in 4 rows of the sheet the id is not one of this provider's, so the number next to it is used" in shown
    await carried_out(fleet)
    assert references(fleet) == ["own"] * 5 + [""] * 5


async def test_an_id_of_another_number_than_the_one_beside_it_is_refused(fleet: Stage) -> None:
    """Only one of them can be meant, and nobody guesses which."""
    wrong = fleet.telnyx.number(NUMBERS[5]).id

    shown = fleet.read(await plan(fleet, text(("id", "number", "customer reference"), (wrong, NUMBERS[0], "own"))))

    assert (
        f"In 1 row of the sheet, the id belongs to another number: {wrong} is {NUMBERS[5]}, not {NUMBERS[0]}." in shown
    )
    assert references(fleet) == [""] * 10

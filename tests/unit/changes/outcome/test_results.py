"""The results sheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook
from python_calamine import load_workbook as load_workbook_by_calamine

from bot.changes.model.batches import Batch, Operation
from bot.changes.model.encryption import Encryption
from bot.changes.model.file_format import FileFormat, XlsxFile
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState, OperationState
from bot.changes.model.summary import Summary
from bot.changes.model.values import MASK, Value, Values
from bot.changes.outcome.outcomes import UNCHANGED
from bot.changes.outcome.results import ABSENT, PlanSheet, ResultsSheet, Touched
from bot.changes.sheets import read_sheet
from bot.changes.sheets.stages import MOMENTS, RESULTS
from bot.changes.text.cells import guard
from bot.changes.text.characters import visible
from tests.unit.changes.formulas import formulas


def results_sheet(
    kind: Kind,
    operations: Iterable[Operation],
    batches: Mapping[int, Batch],
    summary: Summary | None,
    form: FileFormat = FileFormat.CSV,
) -> bytes:
    """Return the sheet, written in portions of seven rows."""
    every = list(operations)
    touched = Touched(kind, batches)
    touched.note(every)
    sheet = ResultsSheet(kind, batches, summary, touched.columns, form)
    waiting = iter(every)
    while portion := list(islice(waiting, 7)):
        sheet.add(portion)
    return sheet.content()


def plan_sheet(kind: Kind, operations: Iterable[Operation]) -> bytes:
    """Return the sheet of a plan, written number by number."""
    every = list(operations)
    touched = Touched(kind, {})
    touched.note(every)
    sheet = PlanSheet(kind, None, touched.columns)
    for operation in every:
        sheet.add([operation])
    return sheet.content()


def rows(sheet: bytes) -> list[dict[str, str]]:
    """Return the sheet's rows by column."""
    assert sheet.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"))))


def number_id(position: int) -> str:
    """Return an id as the provider gives them."""
    return f"12933842610757{position:05}"


def operation(position: int, **more: object) -> Operation:
    """Return an operation."""
    fields: dict = {
        "change": 1,
        "position": position,
        "batch": None,
        "number_id": number_id(position),
        "e164": f"+1303555{position:04}",
        "before": {},
        "after": {},
        "state": OperationState.NOT_ATTEMPTED,
        "code": "",
        "reason": "",
        "pointer": "",
        "ended_at": None,
    }
    return Operation(**{**fields, **more})


def test_every_number_has_a_row(settings_kind: Kind) -> None:
    """Nothing is left out or cut, in the plan's order."""
    sheet = results_sheet(settings_kind, (operation(i) for i in range(3000)), {}, None)

    assert [row["number"] for row in rows(sheet)] == [f"+1303555{i:04}" for i in range(3000)]
    assert tuple(rows(sheet)[0]) == (*RESULTS, *MOMENTS)


def test_a_row_tells_the_whole_story(settings_kind: Kind) -> None:
    """Outcome, reason, before and after with human names, and when."""
    failed = operation(
        1,
        batch=1,
        state=OperationState.FAILED,
        code="10015",
        reason="The field is invalid.",
        pointer="/connection_id",
        before={"connection_id": "1"},
        after={"connection_id": "2"},
        ended_at=datetime(2026, 11, 21, 12, 0, 7, 654321, tzinfo=ZoneInfo("Europe/Berlin")),
    )
    summary = Summary(
        numbers=1,
        unchanged=0,
        batches=1,
        wanted={"connection_id": "2"},
        labels={"connection_id": {"1": "Old", "2": "New"}},
    )

    (row,) = rows(results_sheet(settings_kind, [failed], {}, summary))

    assert row == {
        "number": "+13035550001",
        "id": number_id(1),
        "outcome": "failed",
        "reason_code": "10015",
        "reason": "The field is invalid.",
        "pointer": "/connection_id",
        "Connection (before)": "Old (1)",
        "Connection (after)": "New (2)",
        "job": "",
        "sent_at_utc": "",
        "ended_at_utc": "2026-11-21 11:00:07",
        "read_back_at_utc": "",
    }


VERIFIED = OperationState.VERIFIED
FORWARDS_TO = "voice.call_forwarding.forwards_to"
FORWARDING = "voice.call_forwarding.forwarding_type"
SENT = Batch(
    id=1,
    change=1,
    position=1,
    state=BatchState.SETTLED,
    size=1,
    values={"connection_id": "2", FORWARDS_TO: "+17205550000", FORWARDING: "on-failure"},
    job="job-1",
    attempted_at=None,
    attempts=1,
    submitted_at=datetime(2026, 11, 21, 11, 59, tzinfo=UTC),
    settled_at=None,
    done_by=None,
    job_state="completed",
    polls=1,
    final_polls=0,
    absences=0,
)


def test_what_was_found_stands_beside_what_was_wanted(settings_kind: Kind) -> None:
    """Of what was to change all is told, of what was not to change only what did; and when each thing happened."""
    found = {"connection_id": "2", FORWARDS_TO: "", FORWARDING: "on-failure"}
    read = operation(
        1,
        batch=1,
        state=OperationState.DIFFERS,
        before={"connection_id": "1", FORWARDS_TO: "+17205550000", FORWARDING: "always"},
        after={"connection_id": "2", FORWARDING: "on-failure"},
        found=found,
        found_at=datetime(2026, 11, 21, 12, 1, tzinfo=UTC),
    )

    (row,) = rows(results_sheet(settings_kind, [read], {1: SENT}, None))

    assert row["outcome"] == "differs"
    assert {name: cell for name, cell in row.items() if name.endswith(")")} == {
        "Connection (before)": "1 (name unknown)",
        "Connection (after)": "2 (name unknown)",
        "Connection (found)": "2 (name unknown)",
        "Forward to (found)": "(empty)",
        "Forward when (before)": "Always",
        "Forward when (after)": "On failure",
        "Forward when (found)": "On failure",
    }
    assert (row["job"], row["sent_at_utc"]) == ("job-1", "2026-11-21 11:59:00")
    assert row["read_back_at_utc"] == "2026-11-21 12:01:00"


def test_a_number_that_is_gone_is_told_as_gone(settings_kind: Kind) -> None:
    """A number that was looked for and not there is not the same as one that nobody looked for."""
    wish: dict = {"batch": 1, "before": {"connection_id": "1"}, "after": {"connection_id": "2"}}
    gone = operation(1, state=OperationState.DIFFERS, found_at=datetime(2026, 11, 21, tzinfo=UTC), **wish)

    told = rows(results_sheet(settings_kind, [gone, operation(2, **wish)], {1: SENT}, None))

    assert [row["Connection (found)"] for row in told] == [ABSENT, ""]


def test_a_number_that_was_left_alone_says_so(settings_kind: Kind) -> None:
    """To have the wanted values already is no failed attempt: plan and results say “unchanged”."""
    had = operation(1, code=UNCHANGED, before={"connection_id": "2"})
    done = operation(2, batch=1, before={"connection_id": "1"}, after={"connection_id": "2"}, state=VERIFIED)

    results = rows(results_sheet(settings_kind, [had, done], {1: SENT}, None))
    plan = rows(plan_sheet(settings_kind, [had, done]))

    assert [row["outcome"] for row in results] == ["unchanged", "verified"]
    assert [row["action"] for row in plan] == ["unchanged", "change"]
    assert {row["Connection (before)"] for row in results} == {"2 (name unknown)", "1 (name unknown)"}


def uploaded(kind: Kind, sheet: bytes, name: str = "results.csv") -> dict[str, Values]:
    """Return what ``sheet`` gives to each number when it is uploaded as it is."""
    read = read_sheet(name, sheet, kind, is_id=str.isdecimal)
    assert read.problems == ()
    return {row.identifier: row.values for row in read.rows}


#: Values that a spreadsheet or a careless reader would make something else of.
TRICKY: dict[str, tuple[Value, Value]] = {
    "tags": (("@cmd", "+1", "a b", "Zürich"), ("-x", "@y")),
    "customer_reference": ("-1+1;=2", "'00017"),
    "connection_id": ("1293384261075731499", "2"),
    "voice.call_forwarding.forwards_to": ("", "+442071838750"),
    "voice.tech_prefix_enabled": (False, True),
}


@pytest.mark.parametrize("form", FileFormat)
@pytest.mark.parametrize("stage", ["before", "after"])
def test_the_sheet_gives_back_what_it_tells(settings_kind: Kind, form: FileFormat, stage: str) -> None:
    """As it is it undoes; without the columns of before it asks again. What guards a cell survives the way back."""
    before, after = ({name: pair[at] for name, pair in TRICKY.items()} for at in (0, 1))
    state = OperationState.DIFFERS
    done = operation(7, batch=1, before=before, after=after, found=dict(after), state=state, found_at=SENT.submitted_at)
    labels = {"connection_id": {"1293384261075731499": "=Old, (1)\u202e", "2": "New"}}
    summary = Summary(numbers=1, unchanged=0, batches=1, wanted={}, labels=labels)
    sheet = results_sheet(settings_kind, [done], {1: SENT}, summary, form)
    if stage == "after":
        sheet = without_before(sheet, form)

    given = uploaded(settings_kind, sheet, f"results.{form.value}")

    assert given == {number_id(7): before if stage == "before" else after}


def without_before(sheet: bytes, form: FileFormat) -> bytes:
    """Return ``sheet`` with its columns of before taken out, as somebody does by hand."""
    if form is FileFormat.CSV:
        table = list(csv.reader(io.StringIO(sheet.decode("utf-8-sig"))))
        kept = [at for at, title in enumerate(table[0]) if "(before)" not in title]
        text = io.StringIO()
        csv.writer(text).writerows([row[at] for at in kept] for row in table)
        return text.getvalue().encode("utf-8-sig")
    book = load_workbook(io.BytesIO(sheet))
    (page,) = book.worksheets
    for at in reversed([cell.column for cell in page[1] if "(before)" in str(cell.value)]):
        page.delete_cols(at)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("state", "code", "gives"),
    [
        (OperationState.VERIFIED, "", {"before"}),
        (OperationState.DIFFERS, "", {"before", "after"}),
        (OperationState.UNVERIFIED, "", {"before", "after"}),
        (OperationState.FAILED, "", {"after"}),
        (OperationState.NOT_ATTEMPTED, "", {"after"}),
        (OperationState.NOT_ATTEMPTED, UNCHANGED, set()),
    ],
)
def test_a_row_gives_values_only_where_they_are_due(
    settings_kind: Kind, state: OperationState, code: str, gives: set[str]
) -> None:
    """Undoing spares what was not changed, which somebody else may have changed; asking again spares what was done."""
    wish: dict = {"before": {"connection_id": "1"}, "after": {"connection_id": "2"}}
    one = operation(7, batch=None if code else 1, state=state, code=code, **wish)
    sheet = results_sheet(settings_kind, [one, operation(8, batch=1, **wish)], {1: SENT}, None)

    undone = uploaded(settings_kind, sheet)[number_id(7)]
    again = uploaded(settings_kind, without_before(sheet, FileFormat.CSV))[number_id(7)]

    assert undone == ({"connection_id": "1"} if "before" in gives else {})
    assert again == ({"connection_id": "2"} if "after" in gives else {})


@pytest.mark.parametrize("value", [("a,b",), ("a\u202eb",), ("x" * 300,), ("=1+1",)])
def test_what_no_cell_can_say_stops_an_upload(settings_kind: Kind, value: Value) -> None:
    """It is shown, and never read as something else."""
    one = operation(7, batch=1, before={"tags": value}, after={"tags": ("c",)}, state=VERIFIED)
    sheet = results_sheet(settings_kind, [one], {1: SENT}, None)

    read = read_sheet("results.csv", sheet, settings_kind, is_id=str.isdecimal)

    assert rows(sheet)[0]["Tags (before)"].startswith("(shown only) ")
    assert [problem.text for problem in read.problems] == [
        "This value of Tags cannot be given in a sheet; blank the cell to keep the current value."
    ]


def test_what_was_not_set_and_cannot_be_emptied_stops_an_upload(settings_kind: Kind) -> None:
    """Nothing can be sent for it, and leaving it as it is has to be somebody's decision."""
    one = operation(7, batch=1, before={"tags": ()}, after={"tags": ("c",)}, state=VERIFIED)
    sheet = results_sheet(settings_kind, [one], {1: SENT}, None)

    read = read_sheet("results.csv", sheet, settings_kind, is_id=str.isdecimal)

    assert [problem.text for problem in read.problems] == [
        "Tags cannot be emptied; leave the cell blank to keep the current value."
    ]


@pytest.mark.parametrize("reason", ["=1+1", "+1+1", "\tx", "a\x00b", "“ü”"])
def test_a_workbook_holds_the_same_as_texts(settings_kind: Kind, reason: str) -> None:
    """The XLSX has the CSV's rows, every cell typed and formatted as text: no formula, no lost ``+``."""
    operations = [operation(position, reason=reason, code="007") for position in range(20)]

    book = load_workbook(io.BytesIO(results_sheet(settings_kind, operations, {}, None, FileFormat.XLSX)))

    (page,) = book.worksheets
    lines = [[cell.value or "" for cell in row] for row in page.iter_rows()]
    expected = rows(results_sheet(settings_kind, operations, {}, None))
    assert lines[0] == [*RESULTS, *MOMENTS]
    assert lines[1:] == [[value.replace("\x00", "") for value in row.values()] for row in expected]
    assert {(cell.data_type, cell.number_format) for row in page.iter_rows() for cell in row if cell.value} == {
        ("s", "@")
    }
    assert lines[1][0] == "+13035550000"


@given(st.text(alphabet="_xX0041fFdDü&<", max_size=24))
@example("_x0041_x000D_")
def test_a_text_that_looks_like_a_code_is_read_as_it_is(text: str) -> None:
    """A program that knows codes of characters, as Excel does, shows ``_x0041_`` and not ``A``."""
    workbook = XlsxFile("results")
    workbook.add([["first", text, "last"]])

    ((_, read, _),) = load_workbook_by_calamine(io.BytesIO(workbook.content())).get_sheet_by_index(0).to_python()

    assert read == text


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1", "@SUM(A1)", "\tx", "\rx", "\uff1d1"])
def test_a_formula_is_disarmed(settings_kind: Kind, cell: str) -> None:
    """A reason from the provider that starts like a formula gets an apostrophe in front."""
    assert guard(cell) == f"'{cell}"
    (row,) = rows(results_sheet(settings_kind, [operation(1, reason=cell)], {}, None))
    assert row["reason"] == guard(visible(cell))


@pytest.mark.parametrize("value", ["1;=1+1", "true;=1+1", "'x;=1+1", "null|=1+1", "a;\t@SUM(A1)"])
def test_a_formula_behind_another_separator_is_disarmed(settings_kind: Kind, value: str) -> None:
    """Also in a value that has to have an apostrophe in front to be read as the text that it is."""
    had = {"customer_reference": value, "tags": (value,)}
    one = operation(1, batch=1, before=had, after={"customer_reference": "x", "tags": ("x",)}, found=had)

    for sheet in (results_sheet(settings_kind, [one], {1: SENT}, None), plan_sheet(settings_kind, [one])):
        assert "1+1" in sheet.decode() or "SUM" in sheet.decode()
        assert formulas(sheet.decode("utf-8-sig")) == []


def test_a_number_that_is_none_is_disarmed_too(settings_kind: Kind) -> None:
    """What a provider calls a number is its text: only E.164 goes into a sheet as it is."""
    odd = operation(1, e164="=1+1", batch=1, before={"connection_id": "1"}, after={"connection_id": "2"})

    for sheet in (results_sheet(settings_kind, [odd], {1: SENT}, None), plan_sheet(settings_kind, [odd])):
        assert rows(sheet)[0]["number"] == "'=1+1"


def test_a_secret_is_masked(settings_kind: Kind, encryption: Encryption) -> None:
    """A PIN is in no sheet, neither before nor after."""
    old, new = encryption.seal("0000-old"), encryption.seal("4711-new")
    pin = operation(1, batch=1, before={"external_pin": old}, after={"external_pin": new}, state=VERIFIED)

    sheet = results_sheet(settings_kind, [pin], {}, None).decode()

    assert MASK in sheet
    for text in ("0000-old", "4711-new", old.sealed, new.sealed):
        assert text not in sheet
    assert uploaded(settings_kind, sheet.encode()) == {number_id(1): {}}

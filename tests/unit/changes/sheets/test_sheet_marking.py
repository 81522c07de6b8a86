"""The sheet handed back with what is wrong in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.formula import ArrayFormula

from bot.changes.sheets import Sheet, marked
from tests.unit.changes.sheets.conftest import Read

A, B = "+13035550100", "+13035550101"
ROWS = (
    ("Number", "Tags", "Customer reference", "Connection"),
    (A, "a", "-5", ""),
    (),
    ("hello", ",", "=1+1", "1.29338E+18"),
    (B, "b", "@x", "Denver"),
    (B, "c", "+1 303", ""),
    ("+1 303 555 0103", "d", "'tis", "", "astray"),
)


def table(content: bytes, delimiter: str = ",") -> list[list[str]]:
    """Return the rows of a CSV file."""
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter))


def again(read: Read, content: bytes, sheet: Sheet) -> tuple[bytes, Sheet]:
    """Return the sheet that comes back, and what it is read as."""
    back = marked("moves", content, sheet)
    return back, read(back)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_comes_back_with_its_errors(read: Read, text: Callable[..., bytes], delimiter: str) -> None:
    """Every row where it was, every problem in the row that has it, formulas disarmed, same delimiter."""
    content = text(*ROWS, delimiter=delimiter, encoding="cp1252")

    back = table(marked("moves.csv", content, read(content)), delimiter)

    assert back[0] == ["Number", "Tags", "Customer reference", "Connection", "", "Errors"]
    assert back[1] == [A, "a", "'-5", "", "", ""]
    assert back[2] == []
    assert back[3][:4] == ["hello", ",", "'=1+1", "1.29338E+18"]
    assert back[3][5] == (
        "Number: “hello” is not a phone number. Tags: Tags needs at least one entry between the commas. "
        "Customer reference: This cell holds a formula; copy the column and paste it back as values. "
        "Connection: “1.29338E+18” was shortened by the spreadsheet and digits are lost; format the column as text "
        "and enter it again."
    )
    assert back[4][2] == "'@x"
    assert "Number: +13035550101 is also in row 6 with other values; keep one row." in back[4][5]
    assert back[6][4] == "astray"
    assert back[6][0] == "'+1 303 555 0103"


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_the_marked_csv_says_the_same(read: Read, text: Callable[..., bytes], delimiter: str) -> None:
    """Uploaded as it is, it has the same problems and the same rows; and it comes back the same."""
    content = text(*ROWS, delimiter=delimiter)
    sheet = read(content)

    back, second = again(read, content, sheet)

    assert (second.rows, second.problems, second.repeats) == (sheet.rows, sheet.problems, sheet.repeats)
    assert marked("moves.csv", back, second) == back


def test_a_corrected_sheet_reads_clean(read: Read) -> None:
    """The Errors column of last time is in nobody's way, and is emptied when there is nothing to say."""
    content = b"number,Errors,tags\n+13035550100,Something was wrong,a\n"
    sheet = read(content)

    assert sheet.problems == ()
    assert table(marked("moves.csv", content, sheet)) == [["number", "Errors", "tags"], [A, "", "a"]]


def test_the_line_that_names_the_delimiter_is_no_row(read: Read) -> None:
    """A spreadsheet does not show it, so rows are counted without it, here and there."""
    content = b"sep=;\nnumber;tags\nhello;a\n"
    sheet = read(content)

    assert [problem.row for problem in sheet.problems] == [2]
    assert again(read, content, sheet)[1].problems == sheet.problems


def test_a_workbook_comes_back_as_a_workbook(read: Read, book: Callable[..., bytes]) -> None:
    """Texts stay texts, dates stay dates, formulas come back as their text, and all problems are there again."""
    content = book(
        ("number", "tags", "hd voice", "customer reference"),
        (13035550100, "a", True, 123.0),
        (),
        ("hello", "=1+1", 7, datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)),
        (1293384261075731499, "#N/A", "on", "+1-2"),
        (B, ArrayFormula("B6:B6", "=SUM(1)"), "off", "'x"),
    )
    sheet = read(content)

    back, second = again(read, content, sheet)

    page = load_workbook(io.BytesIO(back))["Numbers"]
    rows = [list(row) for row in page.iter_rows(values_only=True)]
    assert rows[0] == ["number", "tags", "hd voice", "customer reference", "Errors"]
    assert rows[1] == ["13035550100", "a", "TRUE", "123", None]
    assert rows[3][:4] == ["hello", "'=1+1", "7", datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)]
    assert rows[3][4].startswith("number: “hello” is not a phone number. tags: This cell holds a formula;")
    assert rows[4][3] == "'+1-2"
    assert rows[5][1] == "'=SUM(1)"
    assert not [cell for row in page.iter_rows() for cell in row if cell.data_type == "f"]
    assert len(sheet.problems) == 7
    assert (second.rows, second.problems, second.repeats) == (sheet.rows, sheet.problems, sheet.repeats)


@pytest.mark.parametrize("cell", ["- a\n- b", "-a|b", '"-a", b'])
def test_a_list_that_was_not_meant_does_not_come_back_as_meant(
    read: Read, text: Callable[..., bytes], book: Callable[..., bytes], cell: str
) -> None:
    """What guards it against formulas would say so; so it comes back as what is only shown, as often as it takes."""
    rows = (("number", "tags", "customer reference"), (A, cell, "-a|b"), (B, f"'{cell}", ""))
    for content in (text(*rows), book(*rows)):
        sheet = read(content)
        back, second = again(read, content, sheet)
        third = again(read, back, second)[1]

        assert [(p.row, p.column) for p in sheet.problems] == [(2, "tags")]
        assert [(p.row, p.column) for p in second.problems] == [(2, "tags")]
        assert second.problems[0].text.startswith("“(shown only) ")
        assert "is a list in another program's form; write the entries with commas" in second.problems[0].text
        assert third.problems == second.problems
        assert third.rows == second.rows == sheet.rows
        assert [row.identifier for row in sheet.rows] == [B]


def test_of_several_sheets_the_one_that_was_read_comes_back(read: Read, book: Callable[..., bytes]) -> None:
    """With its own title."""
    content = book(("Notes",), Moves=[("number",), ("hello",)])

    back, second = again(read, content, read(content))

    assert load_workbook(io.BytesIO(back)).sheetnames == ["Moves"]
    assert [problem.row for problem in second.problems] == [2]

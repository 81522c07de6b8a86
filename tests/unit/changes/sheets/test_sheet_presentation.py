"""What people see of a workbook is what is meant: hidden rows, merged cells and formats of numbers."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from bot.changes.sheets import marked
from bot.changes.sheets.number_formats import as_shown
from tests.unit.changes.sheets.conftest import Read

A, B, C = "+13035550100", "+13035550101", "+13035550102"
ONE_VALUE = "B2:B4 is merged, so only its first cell holds the value."
MERGED = f"{ONE_VALUE} Unmerge it, fill in every row, and upload the sheet again."
WAYS_OUT = (
    "If you mean all of it, clear the filter and unhide everything. If you mean only what you see, copy the visible "
    "cells into a new sheet. Then upload that."
)


def made(change: Callable[[Worksheet], None]) -> bytes:
    """Return a workbook of three numbers with tags, after ``change`` was made to its sheet."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (("number", "tags"), (A, "a"), (B, "b"), (C, "c")):
        sheet.append(row)
    change(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filtered(sheet: Worksheet) -> None:
    """Hide two rows, as a filter does."""
    sheet.auto_filter.ref = "A1:B4"
    sheet.auto_filter.add_filter_column(1, ["a"])
    sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = True


def folded(sheet: Worksheet) -> None:
    """Fold two rows away, as an outline does."""
    sheet.row_dimensions.group(3, 4, hidden=True)


def flattened(sheet: Worksheet) -> None:
    """Leave one row no height."""
    sheet.row_dimensions[3].height = 0.1


def squeezed(sheet: Worksheet) -> None:
    """Leave one row less height than any letter has."""
    sheet.row_dimensions[3].height = 2


def flattened_all(sheet: Worksheet) -> None:
    """Leave no row but two any height."""
    sheet.sheet_format.defaultRowHeight = 0
    sheet.row_dimensions[1].height = sheet.row_dimensions[2].height = 15


def without_headings(sheet: Worksheet) -> None:
    """Hide the row of headings."""
    sheet.row_dimensions[1].hidden = True


def without_column(sheet: Worksheet) -> None:
    """Hide the column of tags."""
    sheet.column_dimensions["B"].hidden = True


@pytest.mark.parametrize(
    ("change", "what"),
    [
        pytest.param(filtered, "2 of its 3 rows are hidden by a filter or by hand (3 to 4)", id="filter"),
        pytest.param(folded, "2 of its 3 rows are hidden by a filter or by hand (3 to 4)", id="outline"),
        pytest.param(flattened, "1 of its 3 rows is hidden by a filter or by hand (3)", id="no-height"),
        pytest.param(squeezed, "1 of its 3 rows is hidden by a filter or by hand (3)", id="hardly-any-height"),
        pytest.param(flattened_all, "2 of its 3 rows are hidden by a filter or by hand (3 to 4)", id="no-usual-height"),
        pytest.param(without_headings, "the row of headings (1) is hidden", id="headings"),
        pytest.param(without_column, "a column is hidden (B “tags”)", id="column"),
    ],
)
def test_hidden_cells_are_named(refused: Callable[..., str], change: Callable[[Worksheet], None], what: str) -> None:
    """Whoever filters a sheet to one row means that row: nothing that nobody sees is planned."""
    said = refused(made(change), name="moves.xlsx")

    assert said == f"“moves.xlsx” contains more than it shows: {what}. {WAYS_OUT}"


def test_what_is_hidden_but_not_read_stays_out_of_it(read: Read) -> None:
    """A hidden column of Linesman's own, and a hidden row with nothing in it, stand in nobody's way."""

    def change(sheet: Worksheet) -> None:
        sheet["C1"] = "errors"
        sheet.column_dimensions["C"].hidden = True
        sheet.row_dimensions[9].hidden = True

    assert [row.identifier for row in read(made(change), name="moves.xlsx").rows] == [A, B, C]


def test_merged_cells_are_named(found: Callable[..., list[tuple[int, str, str]]]) -> None:
    """A value merged over several rows is seen in each of them and stored in the first: its rows are named."""

    def change(sheet: Worksheet) -> None:
        sheet.merge_cells("B2:B4")

    assert found(made(change), name="moves.xlsx") == [
        (
            2,
            "tags",
            MERGED,
        )
    ]


def test_a_heading_that_is_merged_over_several_columns_is_named(
    found: Callable[..., list[tuple[int, str, str]]],
) -> None:
    """One heading above two columns of values says which of them it means to nobody; it is no matter of delimiters."""

    def change(sheet: Worksheet) -> None:
        sheet["C3"] = "x"
        sheet.merge_cells("B1:C1")

    assert found(made(change), name="moves.xlsx") == [
        (
            1,
            "tags",
            (
                "B1:C1 is merged, so one heading stands above several columns. Unmerge it, give each its own, and "
                "upload the sheet again."
            ),
        ),
        (3, "C", "“x” is in a column without a heading; give it one, or clear the column."),
    ]


def test_a_heading_that_is_merged_over_blank_columns_does_no_harm(read: Read) -> None:
    """What stands above nothing hides nothing."""

    def change(sheet: Worksheet) -> None:
        sheet.merge_cells("B1:C1")

    assert [row.identifier for row in read(made(change), name="moves.xlsx").rows] == [A, B, C]


def test_a_heading_that_is_merged_with_rows_below_is_named(
    found: Callable[..., list[tuple[int, str, str]]],
) -> None:
    """The cells below it are empty, whatever people see there."""

    def change(sheet: Worksheet) -> None:
        sheet.merge_cells("B1:B2")

    assert found(made(change), name="moves.xlsx") == [
        (
            2,
            "tags",
            (
                "B1:B2 merges a heading with rows below it. Unmerge it, fill in or remove those rows, and upload the "
                "sheet again."
            ),
        )
    ]


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [
        pytest.param(442079460958, '"+"0', "+442079460958", id="plus-by-format"),
        pytest.param(2079460958, '"+44"0', "+442079460958", id="country-by-format"),
        pytest.param(442079460958, "\\+0", "+442079460958", id="escaped-plus"),
        pytest.param(207946095, "00000000000", "00207946095", id="leading-zeros"),
        pytest.param(3035550100, "[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", "(303) 555-0100", id="american"),
        pytest.param(5550100, "[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", "555-0100", id="american-local"),
        pytest.param(3035550100, "000\\.000\\.0000", "303.555.0100", id="dotted"),
        pytest.param(0.5, "0%", "50%", id="percent"),
        pytest.param(30, "0.00", "30", id="zeros-behind-the-point"),
        pytest.param(3035550100, "#,##0", "3035550100", id="thousands"),
        pytest.param(1.5, "General", "1.5", id="general"),
        pytest.param(-5, "0;0", "5", id="sign-left-out"),
        pytest.param(7, '0" s"', "7 s", id="unit"),
        pytest.param(12.345, "0.00", None, id="rounded"),
        pytest.param(1000, "0,", None, id="divided"),
        pytest.param(5, "# ?/?", None, id="fraction"),
        pytest.param(5, "0.0E+00", None, id="scientific"),
        pytest.param(5, ";;;", None, id="nothing-shown"),
        pytest.param(25, '0"%"', "25%", id="percent-as-text"),
        pytest.param(25, "0\\%", "25%", id="escaped-percent"),
        pytest.param(25, "0/0", None, id="slash-of-a-fraction"),
        pytest.param(0, "#", None, id="zero-not-shown"),
        pytest.param(25, "*00", None, id="filled-with-zeros"),
        pytest.param(25, "_-* #,##0_-", "25", id="filled-with-blanks"),
        pytest.param(25, "[DBNum1]0", None, id="other-numerals"),
        pytest.param(25, "[Red]General;[Blue]-General", "25", id="general-in-color"),
    ],
)
def test_a_number_is_what_its_cell_shows(number: float, code: str, shown: str | None) -> None:
    """Digits, signs and zeros that a format adds are there for people, so they count; what is unsure is not guessed."""
    assert as_shown(number, code) == shown


def test_formats_reach_the_numbers(read: Read) -> None:
    """A British number whose country code is only in the format stays British."""

    def change(sheet: Worksheet) -> None:
        sheet["A2"] = 2079460958
        sheet["A2"].number_format = '"+44"0'

    assert read(made(change), name="moves.xlsx").rows[0].identifier == "+442079460958"


@pytest.mark.parametrize(
    ("form", "identifier"),
    [
        (b'<xf numFmtId="0"', "+12079460958"),
        (b'<xf numFmtId="200"', "+442079460958"),
        (b'<xf numFmtId="31"', ""),
    ],
    ids=["general", "format of the whole workbook", "date in Chinese and Japanese"],
)
def test_a_cell_without_a_style_has_the_format_of_the_workbook(
    read: Read, packed: Callable[..., bytes], form: bytes, identifier: str
) -> None:
    """The first style of a workbook is that of every cell that names none, and may have a format of its own."""
    number = b'<c r="A2"><v>2079460958</v></c>'
    formats = b'<numFmts count="1"><numFmt numFmtId="200" formatCode="&quot;+44&quot;0"/></numFmts><fonts'
    with zipfile.ZipFile(io.BytesIO(base := made(lambda _: None))) as archive:
        styles, sheet = archive.read("xl/styles.xml"), archive.read("xl/worksheets/sheet1.xml")
    before, first, behind = styles.partition(b"<cellXfs")
    parts = {
        "xl/styles.xml": re.sub(rb"<numFmts.*?<fonts", formats, before)
        + first
        + behind.replace(b'<xf numFmtId="0"', form, 1),
        "xl/worksheets/sheet1.xml": re.sub(rb'<c r="A2".*?</c>', number, sheet),
    }

    row = next((row for row in read(packed(parts, base), name="moves.xlsx").rows if row.row == 2), None)

    assert (row.identifier if row else "") == identifier


def test_a_form_that_cannot_be_worked_out_is_named(found: Callable[..., list[tuple[int, str, str]]]) -> None:
    """What the cell shows cannot be told from what is stored, so the person types it anew."""

    def change(sheet: Worksheet) -> None:
        sheet["B2"] = 12.345
        sheet["B2"].number_format = "0.0E+00"

    text = "“12.345” is displayed differently from what is stored; format the column as text and enter it again."
    assert found(made(change), name="moves.xlsx") == [(2, "tags", text)]


@pytest.mark.parametrize(
    ("code", "as_it_is"),
    [
        ("General", True),
        ("@", True),
        ("0;-0;;@", True),
        ('_(* #,##0_);_(* \\(#,##0\\);_(* "-"_);_(@_)', True),
        ("[$-409]m/d/yyyy;@", True),
        ("[Red]@", True),
        ("00000", True),
        (";;;", False),
        ('"SIP-"@', False),
        ('0;0;0;"hidden"', False),
        ("@@", False),
    ],
)
def test_a_text_is_what_its_cell_shows(
    found: Callable[..., list[tuple[int, str, str]]], code: str, *, as_it_is: bool
) -> None:
    """A format that shows something else in a text's place, or nothing, makes the cell one that is named."""

    def change(sheet: Worksheet) -> None:
        sheet["B2"].number_format = code

    problems = found(made(change), name="moves.xlsx")

    assert ["is displayed differently from what is stored" in text for _, _, text in problems] == (
        [] if as_it_is else [True]
    )


def test_a_misshown_cell_comes_back_as_one_that_is_refused_again(read: Read) -> None:
    """The sheet with errors has no formats, so that what is stored must not look like what was meant."""

    def change(sheet: Worksheet) -> None:
        sheet["B2"] = 12.345
        sheet["B2"].number_format = "0.0E+00"
        sheet["B3"].number_format = '"SIP-"@'

    content = made(change)
    back = marked("moves.xlsx", content, read(content, name="moves.xlsx"))

    assert [problem.row for problem in read(back, name="moves.xlsx").problems] == [2, 3]


def test_a_flood_of_attributes_is_refused(refused: Callable[..., str], packed: Callable[..., bytes]) -> None:
    """Attributes cost memory as tags do, so they are metered too."""
    flood = b" ".join(b'a%d="1"' % at for at in range(600_000))
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1" '
        + flood
        + b'><c r="A1" t="inlineStr"><is><t>number</t></is></c></row></sheetData></worksheet>'
    )
    content = packed({"xl/worksheets/sheet1.xml": sheet}, made(lambda _: None))

    assert "unpacks to far more than a sheet of numbers needs" in refused(content, name="moves.xlsx")


def test_characters_that_a_workbook_writes_as_codes_are_themselves(read: Read, found: Callable[..., object]) -> None:
    """Excel keeps the line ends of Windows so, and what XML cannot hold; people see no code."""

    def change(sheet: Worksheet) -> None:
        sheet["B2"] = "a_x000D_\nb"
        sheet["B3"] = "_x005F_x000D_"
        sheet["B4"] = "c_x0007_d"

    content = made(change)
    sheet = read(content, name="moves.xlsx")
    back = marked("moves.xlsx", content, sheet)

    assert [row.values.get("tags") for row in sheet.rows[:2]] == [("a", "b"), ("_x000D_",)]
    assert found(content, name="moves.xlsx") == [(4, "tags", "Tags contains a control character; type it on one line.")]
    again = read(back, name="moves.xlsx")
    assert [problem.row for problem in again.problems] == [4]
    assert [row.values for row in again.rows[:2]] == [row.values for row in sheet.rows[:2]]

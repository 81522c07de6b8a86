"""What spreadsheets do to sheets: undone where it is certain, named where something is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time

import pytest

from tests.unit.changes.sheets.conftest import Read

NUMBER = "+13035550100"
FORMULA = "This cell holds a formula; copy the column and paste it back as values."


def lost(text: str) -> str:
    """Return what is said of digits that are gone."""
    return (
        f"“{text}” was shortened by the spreadsheet and digits are lost; format the column as text and enter it again."
    )


def rounded(text: str) -> str:
    """Return what is said of a number with too many digits for a number."""
    return (
        f"“{text}” is stored as a number, and spreadsheets keep only fifteen digits of those; "
        "format the column as text and enter it again."
    )


def dated(text: str) -> str:
    """Return what is said of a date."""
    return (
        f"“{text}” was turned into a date or a time by the spreadsheet; format the column as text and enter it again."
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"number,tags\n+13035550100,a\n", id="plain"),
        pytest.param(b"\xef\xbb\xbfnumber,tags\r\n+13035550100,a\r\n", id="bom-and-crlf"),
        pytest.param(b"number;tags\n+13035550100;a", id="semicolons"),
        pytest.param(b"number\ttags\r+13035550100\ta\r", id="tabs-and-old-mac"),
        pytest.param(b"sep=;\r\nnumber;tags\r\n+13035550100;a\r\n", id="sep"),
        pytest.param(b'"number";"tags"\n"+13035550100";"a"\n', id="quoted-semicolons"),
        pytest.param(b"\n\n,,\nnumber,tags,,,\n,,,\n+13035550100,a,,,\n\n", id="blank-rows-and-columns"),
        pytest.param(b"number,tags\n13035550100,a\n", id="plus-is-gone"),
        pytest.param(b"number,tags\n13035550100.0,a\n", id="taken-for-a-quantity"),
        pytest.param(b"number,tags\n'+13035550100,'a\n", id="apostrophes"),
        pytest.param(b'number,tags\n"=""+13035550100""","=""a"""\n', id="text-formulas"),
        pytest.param(b"number,tags\n(303) 555-0100,a\n", id="national"),
        pytest.param(b'number,tags\n"+13035550100\n","\na\n"\n', id="line-ends-in-cells"),
    ],
)
def test_harmless_damage_is_undone(read: Read, content: bytes) -> None:
    """The same sheet in many disguises."""
    sheet = read(content)

    assert sheet.problems == ()
    assert [(row.identifier, row.values) for row in sheet.rows] == [(NUMBER, {"tags": ("a",)})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marked_unicode_is_read(read: Read, encoding: str) -> None:
    """UTF-8 is read, and UTF-16 where its mark says so."""
    sheet = read("number;customer reference\n+13035550100;Café “Москва” €".encode(encoding))

    assert sheet.rows[0].values == {"customer_reference": "Café “Москва” €"}


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "mac-roman", "latin-1"])
def test_other_encodings_are_never_guessed(refused: Callable[..., str], encoding: str) -> None:
    """Eight-bit letters mean something else in each country, so nobody guesses; the row is named."""
    word = "Москва" if encoding == "cp1251" else "Zürich"
    said = refused(f"number;customer reference\n+13035550100;{word}".encode(encoding))

    assert said == (
        "“moves.csv” is not in UTF-8: the letters in row 2 cannot be read for certain. "
        "Save it as “CSV UTF-8” and upload that."
    )
    assert "in row 3 cannot" in refused(f"\nnumber;customer reference\n+13035550100;{word}".encode(encoding))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        pytest.param(13035550100, NUMBER, id="integer"),
        pytest.param(13035550100.0, NUMBER, id="float"),
        pytest.param("13035550100", NUMBER, id="text"),
        pytest.param("1293384261075731499", "1293384261075731499", id="id-as-text"),
    ],
)
def test_numbers_in_workbooks_are_read(read: Read, book: Callable[..., bytes], cell: object, value: str) -> None:
    """As text or as a number that is still whole."""
    assert read(book(["number"], [cell])).rows[0].identifier == value


@pytest.mark.parametrize(
    ("heading", "cell", "value"),
    [
        pytest.param("hd voice", True, True, id="true"),
        pytest.param("hd voice", False, False, id="false"),
        pytest.param("hd voice", 1, True, id="one"),
        pytest.param("hd voice", "Yes", True, id="yes"),
        pytest.param("customer reference", 123, "123", id="integer-is-text"),
        pytest.param("customer reference", 123.0, "123", id="no-invented-decimals"),
        pytest.param("customer reference", 1.5, "1.5", id="decimal-is-text"),
        pytest.param("customer reference", "00123", "00123", id="leading-zeros"),
        pytest.param("customer reference", "'00123", "00123", id="apostrophe"),
        pytest.param("usage billing", "channels", "channel", id="choice-by-label"),
        pytest.param("forward to", 13035550199, "+13035550199", id="phone-without-plus"),
        pytest.param("forward to", "(EMPTY)", "", id="cleared"),
        pytest.param("customer reference", "'(empty)", "(empty)", id="the-word-itself"),
        pytest.param("connection", "Denver (old) (1293384261075731499)", "1293384261075731499", id="name-and-id"),
        pytest.param("connection", "1293384261075731499 (name unknown)", "1293384261075731499", id="id-without-name"),
        pytest.param("connection", "1293384261075731499", "1293384261075731499", id="id-alone"),
        pytest.param("tags", "a; b, A", ("a", "b"), id="tags"),
    ],
)
def test_values_are_read(read: Read, book: Callable[..., bytes], heading: str, cell: object, value: object) -> None:
    """Each shape of setting from each type of cell."""
    (row,) = read(book(["number", heading], [NUMBER, cell])).rows
    (found,) = row.values.values()

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("cell", [None, "", "  ", "'", '=""'])
def test_an_empty_cell_keeps_todays_value(read: Read, text: Callable[..., bytes], cell: str | None) -> None:
    """What is not said is not changed."""
    sheet = read(text(("number", "tags", "hd voice"), (NUMBER, cell or "", "on")))

    assert sheet.problems == ()
    assert sheet.rows[0].values == {"hd_voice_enabled": True}


@pytest.mark.parametrize(
    ("heading", "cell", "sentence"),
    [
        pytest.param("number", "1.97056E+10", lost("1.97056E+10"), id="short-number"),
        pytest.param("number", "1,97056E+10", lost("1,97056E+10"), id="short-number-with-a-comma"),
        pytest.param("number", "1.97056e+10", lost("1.97056e+10"), id="short-number-in-small-letters"),
        pytest.param("connection", "1.29338E+18", lost("1.29338E+18"), id="short-id"),
        pytest.param("customer reference", "1.29338E+18", lost("1.29338E+18"), id="short-text"),
        pytest.param("number", 1293384261075731499, rounded("1.293384261075731e+18"), id="long-number"),
        pytest.param("connection", 1.2933842610757315e18, rounded("1.293384261075731e+18"), id="long-id"),
        pytest.param("number", datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None), dated("2026-03-01"), id="date"),
        pytest.param("customer reference", time(12, 30), dated("12:30:00"), id="time"),
        pytest.param("number", '="+1"&A1', FORMULA, id="formula"),
        pytest.param("customer reference", "=1+1", FORMULA, id="formula-in-text"),
        pytest.param("customer reference", "'=1+1", FORMULA, id="formula-as-text"),
        pytest.param("tags", "#N/A", "“#N/A” is a spreadsheet error; enter the value itself.", id="error"),
    ],
)
def test_lost_values_are_named(
    found: Callable[..., list[tuple[int, str, str]]],
    book: Callable[..., bytes],
    heading: str,
    cell: object,
    sentence: str,
) -> None:
    """What a spreadsheet has destroyed is not guessed; the sentence says how to repair it."""
    row = {"number": NUMBER, "tags": "a", heading: cell}

    assert found(book(list(row), list(row.values()))) == [(2, heading, sentence)]


def test_a_declared_size_is_not_believed(read: Read, book: Callable[..., bytes], packed: Callable[..., bytes]) -> None:
    """Some programs write that a sheet has one cell; every row is read all the same."""
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1"/><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>number</t></is></c></row>'
        b'<row r="3"><c r="A3"><v>13035550100</v></c></row></sheetData></worksheet>'
    )

    (row,) = read(packed({"xl/worksheets/sheet1.xml": sheet}, book(["number"]))).rows

    assert (row.row, row.identifier) == (3, NUMBER)

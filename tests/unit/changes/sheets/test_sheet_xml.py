"""A sheet in all the ways in which programs write one down: what it says does not depend on them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import datetime
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from bot.changes.sheets.tables import open_table
from tests.unit.changes.sheets.conftest import Read

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DAMAGED = "“moves.csv” is damaged and cannot be opened. Open it in a spreadsheet, save it again and upload that."
USUAL = (
    f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>number</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>tags</t></is></c></row><row r="3" spans="1:2"><c r="A3"><v>13035550100</v></c>'
    '<c r="B3" t="inlineStr"><is><t>R&amp;D</t></is></c></row></sheetData></worksheet>'
)


def rows_of(content: bytes) -> list[list[object]]:
    """Return the rows of a workbook's only sheet."""
    with open_table("moves.xlsx", content) as table:
        return [list(cells) for _, cells in table.rows(table.layouts[0])]


@pytest.mark.parametrize(
    "sheet",
    [
        pytest.param(USUAL, id="usual"),
        pytest.param(f'<?xml version="1.0" encoding="UTF-8"?>\r\n{USUAL}', id="declaration"),
        pytest.param("\ufeff" + USUAL, id="mark"),
        pytest.param(USUAL.replace('"', "'"), id="single-quotes"),
        pytest.param(USUAL.replace("><", ">\n  <"), id="indented"),
        pytest.param(re.sub(r"<(/?)(?=\w)", r"<\1x:", USUAL).replace("xmlns=", "xmlns:x="), id="prefix"),
        pytest.param(re.sub(r' r="[A-Z]\d"', "", USUAL), id="cells-without-places"),
        pytest.param(USUAL.replace('r="1"', "", 1).replace('r="3"', 'r="3.0"', 1), id="odd-row-numbers"),
        pytest.param(USUAL.replace("R&amp;D", "<![CDATA[R&D]]>"), id="unparsed-text"),
        pytest.param(USUAL.replace("R&amp;D", "R&#38;D"), id="character-by-number"),
        pytest.param(USUAL.replace("<c", "<!-- </row> <row> --><c"), id="comments"),
        pytest.param(USUAL.replace("<row", "<?note </row>?><row"), id="instructions"),
        pytest.param(USUAL.replace("<sheetData>", "<!-- <sheetData> --><sheetData>"), id="comment-before-the-rows"),
        pytest.param(USUAL.replace("</row>", '</row><row r="2"/>', 1), id="row-without-content"),
        pytest.param(USUAL.replace("</sheetData>", '<row r="4"/></sheetData>'), id="last-row-without-content"),
        pytest.param(USUAL.replace("<t>R&amp;D</t>", "<r><t>R&amp;</t></r><r><t>D</t></r>"), id="two-fonts"),
        pytest.param(
            USUAL.replace("<t>R&amp;D</t>", "<t>R&amp;D</t><rPh><t>are and dee</t></rPh>"), id="pronunciation"
        ),
        pytest.param(USUAL.replace('<c r="B1"', '<c r="C1"><v/></c><c r="D1" /><c r="B1"'), id="empty-cells"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_it_does_not_matter_how_a_sheet_is_written(
    read: Read, book: Callable[..., bytes], packed: Callable[..., bytes], sheet: str, encoding: str
) -> None:
    """Programs put prefixes, comments and line ends where they like."""
    sheet = sheet.replace("UTF-8", encoding)
    (row,) = read(
        packed({SHEET: sheet.removeprefix("\ufeff" * (encoding == "utf-16")).encode(encoding)}, book([]))
    ).rows

    assert (row.row, row.identifier, row.values) == (3, "+13035550100", {"tags": ("R&D",)})


@pytest.mark.parametrize(
    "sheet",
    [
        pytest.param(USUAL.encode()[:-120], id="cut-off"),
        pytest.param(USUAL.replace("<row", "<!-- <row", 1).encode(), id="endless-comment"),
        pytest.param(USUAL.replace("R&amp;D", "R\x07D").encode(), id="control-character"),
        pytest.param(USUAL.replace("R&amp;D", "R&D").encode(), id="bare-sign"),
        pytest.param(USUAL.replace("R&amp;D", "Büro").encode("latin-1"), id="another-encoding"),
        pytest.param(USUAL.replace("</c></row>", "</row>").encode(), id="tag-without-end"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_sheet_that_is_no_xml_is_refused(
    refused: Callable[..., str], book: Callable[..., bytes], packed: Callable[..., bytes], sheet: bytes
) -> None:
    """What cannot be parsed for certain is not read by halves."""
    assert refused(packed({SHEET: sheet}, book([]))) == DAMAGED


def test_a_shared_text_that_looks_like_a_code_is_itself(shared: Callable[[bytes], bytes]) -> None:
    """Excel writes ``_x000D_`` as ``_x005F_x000D_``, and a line end of Windows as the code itself."""
    texts = f'<sst xmlns="{MAIN}"><si><t>number_x000D_\n</t></si><si><t>+1 303 555 0100_x005F_x000D_</t></si></sst>'

    assert rows_of(shared(texts.encode())) == [["number\r\n"], ["+1 303 555 0100_x000D_"]]


def test_a_formula_is_read_as_its_text(book: Callable[..., bytes], packed: Callable[..., bytes]) -> None:
    """Also where several cells have one in common, and whatever value it had when the workbook was saved."""
    sheet = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1"><f t="shared" si="0" ref="A1:A2">B1+1</f><v>3</v>'
        '</c></row><row r="2"><c r="A2"><f t="shared" si="0"/><v>4</v></c></row><row r="3"><c r="A3">'
        '<f t="array" ref="A3">SUM(B1:B2)</f></c></row><row r="4"><c r="A4"><f t="dataTable" ref="A4"/></c></row>'
        "</sheetData></worksheet>"
    )

    assert rows_of(packed({SHEET: sheet.encode()}, book([]))) == [["=B1+1"], ["=B2+1"], ["=SUM(B1:B2)"], ["="]]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=8)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(-1e9, 1e9).map(lambda number: float(f"{number:.6g}")),
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),  # noqa: DTZ001 - sheets know no zones
    TEXTS.filter(lambda text: not text.startswith("=") and "_x" not in text),
)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=6)


def written(table: list[list[object]]) -> bytes:
    """Return a workbook with ``table``, as openpyxl writes it."""
    workbook = Workbook()
    for number, row in enumerate(table, start=1):
        for column, cell in enumerate(row, start=1):
            workbook.active.cell(number, column).value = cell
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def even(table: list[list[object]]) -> list[list[object]]:
    """Return ``table`` without what is blank at its ends, and numbers without what tells 1 from 1.0."""
    rows = [[None if cell == "" else cell for cell in row] for row in table]
    for row in rows:
        while row and row[-1] is None:
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows


@given(TABLES)
def test_a_workbook_has_the_values_that_were_put_into_it(table: list[list[object]]) -> None:
    """Texts, numbers, dates and booleans, as another program wrote them."""
    assert even(rows_of(written(table))) == even(table)


@given(TABLES)
def test_cutting_and_parsing_come_to_the_same(table: list[list[object]]) -> None:
    """A row is taken apart by a pattern where that can be done, and parsed where it cannot."""
    content = written(table)
    out = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as old, ZipFile(out, "w") as new:
        for part in old.namelist():
            # A blank behind the name of each row is one that no pattern expects.
            new.writestr(part, old.read(part).replace(b"<row ", b"<row  "))

    assert [[*map(repr, row)] for row in rows_of(out.getvalue())] == [[*map(repr, row)] for row in rows_of(content)]


# Whoever writes the workbook takes "=…" for a formula and "#VALUE!" for an error, for which calamine tells nothing.
@given(
    st.lists(
        st.lists(
            TEXTS.filter(lambda text: text.strip() and "_x" not in text and text[0] not in "=#"), min_size=2, max_size=3
        ),
        min_size=2,
        max_size=5,
    )
)
def test_calamine_reads_the_same_texts(table: list[list[object]]) -> None:
    """A reader that is not written in Python and shares nothing with this one."""
    content = written(table)
    theirs = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)

    assert even([list(row) for row in theirs]) == even(rows_of(content))

"""The same sheet again, with the problems written beside each row."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from bot.changes.sheets.cells import SHOWN_ONLY, guarded, plain
from bot.changes.sheets.columns import ERRORS, heading_of, key
from bot.changes.sheets.presentation import MisdisplayedCell
from bot.changes.sheets.refusals import shown
from bot.changes.sheets.sheet import Sheet
from bot.changes.sheets.tables import Cells, open_table, trimmed
from bot.changes.text.cells import is_nothing
from bot.changes.text.characters import LOST
from bot.errors import InvalidValue

#: The beginning of a text that would be read as a character's code.
_CODE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def marked(name: str, content: bytes, sheet: Sheet) -> bytes:
    """Return the file that ``sheet`` was read from with a column ``Errors``, in its own format.

    A column of that name is replaced, so that the corrected file can be uploaded directly. Rows stay where they are.
    Texts stay texts, guarded against being read as formulas; a formula is returned as its text. CSV is returned in
    UTF-8 with a byte-order mark and its own delimiter; of a workbook, only the sheet that was read. openpyxl writes a
    workbook through a temporary file.

    Raises :class:`bot.errors.InputError` when ``content`` is not the file that ``sheet`` was read from.
    """
    write = _csv if sheet.layout.delimiter else _workbook
    return write(name, content, sheet)


def _csv(name: str, content: bytes, sheet: Sheet) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=sheet.layout.delimiter)
    writer.writerows(_rows(name, content, sheet, _guarded_text))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _workbook(name: str, content: bytes, sheet: Sheet) -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet.layout.worksheet)
    for row in _rows(name, content, sheet, _kept):
        page.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _rows(name: str, content: bytes, sheet: Sheet, written: Callable[[object], object]) -> Iterator[list[object]]:
    """Yield every row of the sheet, blank ones included, with its errors in their column."""
    errors: Mapping[int, str] = _errors(sheet)
    foreign = _foreign(sheet)
    titles: list[str] = []
    at = sheet.layout.width
    with open_table(name, content) as table:
        for number, cells in table.rows(sheet.layout):
            filled = trimmed(cells)
            if number == sheet.layout.headings:
                headings = [heading_of(cell) for cell in filled]
                titles = [shown(heading) for heading in headings]
                at = next((at for at, heading in enumerate(headings) if key(heading) == key(ERRORS)), at)
                yield _with(filled, at, ERRORS, written)
            elif filled:
                if number in foreign:
                    odd = {at for at, title in enumerate(titles) if title in foreign[number]}
                    filled = [_never_meant(cell) if at in odd else cell for at, cell in enumerate(filled)]
                yield _with(filled, at, errors.get(number, ""), written)
            else:
                yield []


def _errors(sheet: Sheet) -> dict[int, str]:
    """Return row -> all its problems."""
    texts: dict[int, list[str]] = defaultdict(list)
    for problem in sheet.problems:
        texts[problem.row].append(f"{problem.column}: {problem.text}")
    return {row: guarded(" ".join(found)) for row, found in texts.items()}


def _foreign(sheet: Sheet) -> dict[int, set[str]]:
    """Return row -> the titles of its columns with a list in another program's notation."""
    found: dict[int, set[str]] = defaultdict(set)
    for problem in sheet.problems:
        if problem.foreign:
            found[problem.row].add(problem.column)
    return found


def _with(cells: Cells, at: int, text: str, written: Callable[[object], object]) -> list[object]:
    row: list[object] = [written(cell) for cell in cells]
    row.extend([""] * (at + 1 - len(row)))
    row[at] = text
    return row


def _never_meant(cell: object) -> object:
    """Return a list in another program's notation so that guarding it does not mark it as meant literally.

    The list follows unchanged below a line with :data:`SHOWN_ONLY`.
    """
    text = str(cell).strip()
    return f"{SHOWN_ONLY}\n{text}" if guarded(text).startswith("'") else cell


def _guarded_text(cell: object) -> str:
    return _guarded(str(cell).strip())


def _guarded(text: str) -> str:
    """Return a text that is not a formula; other programs' "nothing" stays, as an apostrophe would make it literal.

    Among these, only dashes can begin a formula, and a dash alone computes nothing.
    """
    return text if is_nothing(text) else guarded(text)


def _kept(cell: object) -> object:
    """Return ``cell`` for a workbook: texts and certain values as text, so that they stay as they are.

    A date or a rounded number must stay one: as text it would look like typed text.
    """
    if isinstance(cell, str):
        # A text that no workbook can hold stays one that is refused.
        return _guarded(_CODE.sub("_x005F_", ILLEGAL_CHARACTERS_RE.sub(LOST, cell.strip())))
    if isinstance(cell, ArrayFormula | DataTableFormula):
        return guarded(getattr(cell, "text", None) or "=")
    if isinstance(cell, MisdisplayedCell):
        # Its format is not returned with it, and without the format the stored value would count.
        return f"{SHOWN_ONLY} {cell.stored}"
    try:
        return plain(cell)
    except InvalidValue:
        return cell

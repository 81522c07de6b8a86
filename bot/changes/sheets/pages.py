"""One sheet of a workbook, row by row, with what openpyxl leaves out: what is hidden, merged, or shown otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import WorkSheetParser

from bot.changes.sheets.number_formats import as_shown, shows_text
from bot.changes.sheets.presentation import Merged, MisdisplayedCell, Presentation
from bot.changes.text.characters import LOST

#: A character by its code, as in ``_x000D_`` (ECMA-376 part 1, 22.9.2.19).
_CODE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_YES: Final = frozenset({"1", "true"})
#: Most columns of a workbook.
_WIDEST: Final = 16_384
#: Points of height, and characters of width, below which nobody can read what is in a row or a column.
_LEAST: Final = {"ht": 4, "width": 1}


class WorksheetReader(ReadOnlyWorksheet):
    """A sheet that does not go by the size that it declares, which some programs get wrong."""

    #: Known once the last row was read.
    presentation = Presentation()

    def _get_size(self) -> None:
        """Look for no declared size: where there is none, openpyxl would read the whole sheet for it."""

    def read(self) -> Iterator[tuple[int, tuple[object, ...]]]:
        """Yield each row that the file has with its number, numbers as their cells show them."""
        rows: list[int] = []
        page: Any = self  # the stubs leave out what openpyxl's own read-only sheet goes by
        with page._get_source() as source:
            parser = WorkSheetParser(
                source,
                page._shared_strings,
                data_only=page.parent.data_only,
                epoch=page.parent.epoch,
                date_formats=page.parent._date_formats,
                timedelta_formats=page.parent._timedelta_formats,
            )
            for number, cells in parser.parse():
                # The parser keeps what it learns of every row that says more than its number.
                told = getattr(parser, "sheet_format", None)
                usual = {"ht": str(told.defaultRowHeight)} if told else {}
                if _is_hidden({**usual, **parser.row_dimensions.pop(str(number), {})}, "ht"):
                    rows.append(number)
                yield number, self._values(cells)
        self.presentation = Presentation(
            hidden_rows=frozenset(rows),
            hidden_columns=frozenset(_columns(parser)),
            merged=tuple(_merged(parser)),
        )

    def _values(self, cells: list[dict[str, Any]]) -> tuple[object, ...]:
        if not cells:
            return ()
        values: list[object] = [None] * min(max(cell["column"] for cell in cells), _WIDEST)
        for cell in cells:
            if cell["column"] <= _WIDEST:
                values[cell["column"] - 1] = self._shown(cell)
        return tuple(values)

    def _shown(self, cell: Mapping[str, Any]) -> object:
        """Return the value of ``cell``, a number as its format shows it."""
        value = cell["value"]
        if value is None or isinstance(value, bool) or cell["data_type"] == "f":
            return value
        code = self._format(cell["style_id"])
        if code == "General":
            return _decoded(value) if isinstance(value, str) else value
        if isinstance(value, str):
            return _decoded(value) if code == "@" or shows_text(code) else MisdisplayedCell(value)
        if cell["data_type"] != "n" or not isinstance(value, int | float):
            return value
        text = as_shown(value, code)
        if text is None:
            return MisdisplayedCell(value)
        return value if text == str(value) else text

    def _format(self, style: int) -> str:
        # As openpyxl's own cells find it: the built-in formats come first, then those of the workbook. Built-in ones
        # that it does not know are dates and times of one language.
        book: Any = self.parent  # as above
        number = book._cell_styles[style].numFmtId
        if number < BUILTIN_FORMATS_MAX_SIZE:
            return BUILTIN_FORMATS.get(number, "")
        return str(book._number_formats[number - BUILTIN_FORMATS_MAX_SIZE])


def _decoded(text: str) -> str:
    """Return ``text`` with the characters that were written as their codes, which XML may not hold, as themselves."""
    if "_x" not in text:
        return text
    plain = _CODE.sub(lambda found: chr(int(found[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", LOST)


def _is_hidden(attributes: Mapping[str, str], size: str) -> bool:
    """Tell whether a row or column is hidden: by a filter, by hand, folded away, or drawn without any size."""
    if attributes.get("hidden", "").lower() in _YES:
        return True
    try:
        return float(attributes.get(size, "nan")) < _LEAST[size]
    except ValueError:
        return False


def _columns(parser: WorkSheetParser) -> Iterator[int]:
    """Yield the positions of hidden columns, from 0."""
    for attributes in parser.column_dimensions.values():
        if _is_hidden(attributes, "width"):
            first, last = int(attributes["min"]), int(attributes.get("max", attributes["min"]))
            yield from range(first - 1, min(last, _WIDEST))


def _merged(parser: WorkSheetParser) -> Iterator[Merged]:
    for area in parser.merged_cells.mergeCell if parser.merged_cells else ():
        yield Merged(
            name=area.coord, first=area.min_row, last=area.max_row, left=area.min_col - 1, right=area.max_col - 1
        )

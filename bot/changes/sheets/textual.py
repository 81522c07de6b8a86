"""CSV files: encodings, delimiters and quotation marks."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from types import TracebackType
from typing import Final, Self

from bot.changes.sheets.presentation import Presentation
from bot.changes.sheets.refusals import refusal
from bot.changes.sheets.sheet import Layout

#: What may stand between two cells; where several explain a file equally well, the first one.
_DELIMITERS: Final = (",", ";", "\t", "|")
#: Excel's first line that names the delimiter; a spreadsheet does not show it as a row.
_SEP: Final = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*(?:\r\n|\r|\n|$)', re.IGNORECASE)


class TextTable:
    """A CSV file, already known to be text."""

    def __init__(self, name: str, content: bytes) -> None:
        self._name = name
        self._content = content
        self._encoding = _encoding(name, content)
        with self._open() as text:
            named = _SEP.match(text.readline(64))
        self._named = named is not None
        delimiters = (named[1],) if named else _DELIMITERS
        self.layouts = tuple(Layout(delimiter=delimiter) for delimiter in delimiters)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def rows(self, layout: Layout) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with its number; see :class:`bot.changes.sheets.tables.Table`."""
        number = 0
        with self._open() as text:
            if self._named:
                text.readline()
            try:
                # Strict: a quotation mark that is never closed would swallow the rest of the file without a word.
                for number, cells in enumerate(csv.reader(text, delimiter=layout.delimiter, strict=True), start=1):
                    yield number, cells
            except csv.Error as error:
                raise refusal(
                    self._name,
                    f"cannot be read after row {number}: a quotation mark is missing or in the wrong "
                    "place. Fix it and upload the sheet again.",
                ) from error

    def presentation(self, _layout: Layout) -> Presentation:
        """Return that text hides nothing; see :class:`bot.changes.sheets.tables.Table`."""
        return Presentation()

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(BytesIO(self._content), encoding=self._encoding, newline="")


def _encoding(name: str, content: bytes) -> str:
    """Return UTF-8, or UTF-16 where a mark says so.

    Any other encoding would have to be guessed, and a wrong guess goes to the provider as letters nobody typed.
    """
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise refusal(
            name,
            f"is not in UTF-8: the letters in row {row} cannot be read for certain. Save it as “CSV UTF-8” and upload "
            "that.",
        ) from error
    return encoding

"""Opening a workbook that somebody else made, without trusting it.

openpyxl reads the parts that describe the sheets and styles, each as a whole, and builds objects from them. The sheets
and the texts are read here. Everything read from the archive is metered: small parts may be read as a whole, and a
sheet must end a row before much has accumulated. Entities in the XML are refused by ``defusedxml``, which openpyxl uses
if installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from io import BytesIO
from types import TracebackType
from typing import IO, Any, Final, Literal, Self, cast
from zipfile import ZipFile, ZipInfo

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.xml.constants import SHARED_STRINGS

from bot.changes.sheets.cell_values import CellReaders
from bot.changes.sheets.pages import WorksheetReader
from bot.changes.sheets.texts import shared_texts
from bot.errors import PartTooLarge

#: Most sheets in one workbook.
_SHEETS: Final = 200


@dataclass(slots=True)
class Meter:
    """Counts what was read since its last reset; raises :class:`PartTooLarge` past its limits."""

    #: Most bytes, tags and attributes, once unpacked; each attribute has a "=" sign.
    most_bytes: int = 8 * 1024 * 1024
    most_tags: int = 500_000
    most_attributes: int = 500_000
    seen_bytes: int = 0
    seen_tags: int = 0
    seen_attributes: int = 0

    def count(self, chunk: bytes) -> None:
        """Count ``chunk``."""
        self.seen_bytes += len(chunk)
        self.seen_tags += chunk.count(b"<")
        self.seen_attributes += chunk.count(b"=")
        if (
            self.seen_bytes > self.most_bytes
            or self.seen_tags > self.most_tags
            or self.seen_attributes > self.most_attributes
        ):
            raise PartTooLarge

    def set_back(self) -> None:
        """Start counting again."""
        self.seen_bytes = self.seen_tags = self.seen_attributes = 0


def _strings() -> Meter:
    """Return the meter of the part that holds all texts of a workbook."""
    return Meter(most_bytes=64 * 1024 * 1024, most_tags=4_000_000, most_attributes=4_000_000)


class _Metered:
    """A part of the archive while it is read."""

    def __init__(self, part: IO[bytes], meter: Meter) -> None:
        self._part = part
        self._meter = meter

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, size: int = -1) -> bytes:
        """Return the next ``size`` bytes, or all that is left."""
        chunk = self._part.read(size if size >= 0 else self._meter.most_bytes + 1)
        self._meter.count(chunk)
        return chunk

    def close(self) -> None:
        """Close the part."""
        self._part.close()


class _Archive(ZipFile):
    """A ZIP file whose parts are metered."""

    def __init__(self, content: bytes) -> None:
        super().__init__(BytesIO(content))
        #: The meter of the part that was opened last.
        self.last = Meter()

    def open(
        self, name: str | ZipInfo, mode: Literal["r", "w"] = "r", pwd: bytes | None = None, *, force_zip64: bool = False
    ) -> IO[bytes]:
        """Return the part called ``name``, metered."""
        part = super().open(name, mode, pwd, force_zip64=force_zip64)
        path = (name.filename if isinstance(name, ZipInfo) else name).lower()
        self.last = _strings() if path.endswith("sharedstrings.xml") else Meter()
        return cast("IO[bytes]", _Metered(part, self.last))


class Package(ExcelReader):
    """A workbook in read-only mode; parts that a table of numbers does not need stay closed."""

    def __init__(self, content: bytes) -> None:
        super().__init__(BytesIO(content), read_only=True, keep_links=False)
        self.archive.close()
        self.archive = self._metered = _Archive(content)

    @property
    def meter(self) -> Meter:
        """The meter of the sheet that was opened last; it must be reset after each row."""
        return self._metered.last

    def pages(self) -> list[WorksheetReader]:
        """Return the visible sheets of cells; raises any error of openpyxl.

        Reads only the parts of :meth:`ExcelReader.read` that a table of numbers needs: the texts, and the styles, which
        distinguish dates from numbers.
        """
        self.read_manifest()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        if len(self.parser.sheets) > _SHEETS:
            raise PartTooLarge
        readers = CellReaders(self.wb, self._texts())
        return [
            WorksheetReader(sheet.name, partial(self.archive.open, relation.target), readers)
            for sheet, relation in self.parser.find_sheets()
            if sheet.state == "visible" and "chartsheet" not in relation.Type and relation.target in self.valid_files
        ]

    def _texts(self) -> list[str]:
        package: Any = self.package  # the stubs lack its types
        part = package.find(SHARED_STRINGS)
        if part is None:
            return []
        with self.archive.open(part.PartName[1:]) as texts:
            return shared_texts(texts)

    def close(self) -> None:
        """Close the archive."""
        self.archive.close()

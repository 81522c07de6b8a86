"""Sheets as people make them, and how they are read."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import pytest
from openpyxl import Workbook

from bot.changes.model.kinds import Kind
from bot.changes.sheets import Sheet, read_sheet
from bot.errors import InputError


def is_id(text: str) -> bool:
    """Tell whether ``text`` has the form of a Telnyx id."""
    return text.isdecimal() and 16 <= len(text) <= 19


class Read(Protocol):
    """Reads a sheet for ``telnyx.settings``."""

    def __call__(self, content: bytes, **more: object) -> Sheet:
        """Return the sheet in ``content``."""
        ...


@pytest.fixture(scope="session")
def read(settings_kind: Kind) -> Read:
    """Return a function that reads a sheet."""

    def reading(content: bytes, **more: object) -> Sheet:
        options: dict = {"name": "moves.csv", "kind": settings_kind, "is_id": is_id, **more}
        return read_sheet(options.pop("name"), content, options.pop("kind"), **options)

    return reading


@pytest.fixture(scope="session")
def refused(read: Read) -> Callable[..., str]:
    """Return a function that returns the sentence with which a sheet is refused."""

    def refusing(content: bytes, **more: object) -> str:
        with pytest.raises(InputError) as refusal:
            read(content, **more)
        assert set(refusal.value.problems) == {"sheet"}
        return refusal.value.problems["sheet"]

    return refusing


@pytest.fixture(scope="session")
def found(read: Read) -> Callable[..., list[tuple[int, str, str]]]:
    """Return a function that returns the problems of a sheet as (row, column, text)."""

    def finding(content: bytes, **more: object) -> list[tuple[int, str, str]]:
        return [(problem.row, problem.column, problem.text) for problem in read(content, **more).problems]

    return finding


@pytest.fixture(scope="session")
def text() -> Callable[..., bytes]:
    """Return a function that makes CSV of rows."""

    def making(*rows: Sequence[str], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows(rows)
        return out.getvalue().encode(encoding)

    return making


@pytest.fixture(scope="session")
def book() -> Callable[..., bytes]:
    """Return a function that makes a workbook of rows of cells of any type; more sheets are given by their titles."""

    def making(*rows: Sequence[object], hidden: Sequence[str] = (), **sheets: Iterable[Sequence[object]]) -> bytes:
        workbook = Workbook()
        assert workbook.active is not None
        workbook.remove(workbook.active)
        for title, content in {"Numbers": rows, **sheets}.items():
            page = workbook.create_sheet(title)
            page.sheet_state = "hidden" if title in hidden else "visible"
            for row in content:
                page.append(list(row))
        out = io.BytesIO()
        workbook.save(out)
        return out.getvalue()

    return making


@pytest.fixture(scope="session")
def packed() -> Callable[..., bytes]:
    """Return a function that makes a ZIP file of parts."""

    def making(parts: dict[str, bytes], base: bytes = b"") -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            if base:
                with zipfile.ZipFile(io.BytesIO(base)) as old:
                    for part in old.namelist():
                        if part not in parts:
                            archive.writestr(part, old.read(part))
            for part, content in parts.items():
                archive.writestr(part, content)
        return out.getvalue()

    return making


@pytest.fixture(scope="session")
def shared(book: Callable[..., bytes], packed: Callable[..., bytes]) -> Callable[[bytes], bytes]:
    """Return a function that makes a workbook whose two cells, one above the other, stand in a part of texts."""

    def making(texts: bytes) -> bytes:
        base = book(["number"])
        with zipfile.ZipFile(io.BytesIO(base)) as archive:
            types = archive.read("[Content_Types].xml")
        part = (
            b'<Override PartName="/xl/sharedStrings.xml" '
            b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
        )
        sheet = (
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            b'<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row>'
            b"</sheetData></worksheet>"
        )
        return packed(
            {
                "[Content_Types].xml": types.replace(b"</Types>", part),
                "xl/sharedStrings.xml": texts,
                "xl/worksheets/sheet1.xml": sheet,
            },
            base,
        )

    return making

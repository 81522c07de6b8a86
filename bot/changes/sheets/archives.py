"""The content of a ZIP file, judged by its table of contents before anything is unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Final
from zipfile import ZipFile, ZipInfo

from bot.changes.sheets.refusals import refusal
from bot.errors import InputError

_MB: Final = 1024 * 1024
#: Most parts in a workbook.
_PARTS: Final = 2000
#: Most bytes of all parts together once unpacked: a hundred thousand rows of 25 columns take about 120 MB. ``zipfile``
#: reads no more of a part than the table of contents declares, so the bound always holds.
_UNPACKED: Final = 256 * _MB
#: Highest compression of a part of more than 1 MB; rows that are all alike reach about 1 : 60.
_RATIO: Final = 400
_ENCRYPTED: Final = 0x1

_SAVE_AS: Final = "Save the sheet as CSV or XLSX and upload that."
#: A part that only files of another format have, and the name of that format.
_OTHERS: Final = (
    ("xl/workbook.bin", "is a workbook in the binary .xlsb format"),
    ("word/document.xml", "is a Word document, not a sheet"),
    ("ppt/presentation.xml", "is a presentation, not a sheet"),
    ("content.xml", "is an OpenDocument file"),
    ("Index/Document.iwa", "is an Apple Numbers or Pages file"),
    ("Index.zip", "is an Apple Numbers or Pages file"),
)


def check_workbook(name: str, content: bytes) -> None:
    """Raise :class:`bot.errors.InputError` unless ``content`` is a workbook that can be unpacked safely."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except Exception as error:
        raise damaged(name) from error
    names = {part.filename for part in parts}
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise refusal(name, "is protected with a password. Remove the password and upload it again.")
    for part, what in _OTHERS:
        if part in names:
            raise refusal(name, f"{what}. {_SAVE_AS}")
    if "[Content_Types].xml" not in names:
        raise refusal(name, "is a ZIP file, not a workbook. Unpack it and upload the sheet that is in it.")
    if _is_bomb(parts):
        raise swollen(name)


def _is_bomb(parts: Sequence[ZipInfo]) -> bool:
    squeezed = any(part.file_size > max(_MB, _RATIO * part.compress_size) for part in parts)
    return squeezed or len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED


def swollen(name: str) -> InputError:
    """Return the error for a workbook that would take too much memory or time."""
    why = "unpacks to far more than a sheet of numbers needs. Copy the table into a new sheet and upload that."
    return refusal(name, why)


def damaged(name: str) -> InputError:
    """Return the error for a workbook whose parts make no sense."""
    return refusal(name, "is damaged and cannot be opened. Open it in a spreadsheet, save it again and upload that.")

"""Detecting the format of an uploaded file from its bytes; other files than sheets are refused by their format."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from bot.changes.sheets.archives import check_workbook
from bot.changes.sheets.refusals import refusal

#: Largest file, in bytes (10 MB).
LARGEST: Final = 10 * 1024 * 1024

_SAVE_AS: Final = "Save the sheet as CSV or XLSX and upload that."
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: How files of each format begin, and the name of the format.
_BEGINNINGS: Final = (
    (rb"\x89PNG\r\n\x1a\n", "a picture"),
    (rb"\xff\xd8\xff", "a picture"),
    (rb"GIF8[79]a", "a picture"),
    (rb"RIFF....WEBP", "a picture"),
    (rb"BM.{4}\0{4}", "a picture"),
    (rb"II\*\0|MM\0\*", "a picture"),
    (rb"....ftyp(?:heic|heix|mif1|avif)", "a picture"),
    (rb"%PDF-", "a PDF document"),
    (rb"\{\\rtf", "a text document"),
    (rb"\x1f\x8b|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|BZh[1-9]|\xfd7zXZ\0", "a compressed file"),
    (rb"SQLite format 3\0", "a database"),
)
_HTML: Final = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body|table|meta|script|!--)", re.IGNORECASE)
_XML: Final = re.compile(rb"\s*<\?xml", re.IGNORECASE)
_JSON: Final = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\d\]tfn-])")
#: Control characters that no text file has; tab, line ends, form feed and the old end-of-file sign are not included.
_CONTROLS: Final = bytes(sorted({*range(32)} - {*b"\t\n\v\f\r\x1a"}))
#: Up to this many of them may stray into a text of any length; one inside a value is reported.
_STRAY: Final = 3


class SheetFormat(Enum):
    """The format of a sheet."""

    CSV = "csv"
    XLSX = "xlsx"


def recognise(name: str, content: bytes) -> SheetFormat:
    """Return the format of the sheet in ``content``, whatever its name.

    Raises :class:`bot.errors.InputError` for a file that is not a sheet, or is too large or unsafe to open.
    """
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise refusal(name, "is empty. Save the sheet again and upload it.")
    if len(content) > LARGEST:
        size = len(content) / 1024 / 1024
        raise refusal(name, f"is {size:,.1f} MB; a sheet may have at most 10 MB. Split it into several sheets.")
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        check_workbook(name, content)
        return SheetFormat.XLSX
    if content.startswith(_OLE):
        raise _ole(name, content)
    for beginning, what in _BEGINNINGS:
        if re.match(beginning, content, re.DOTALL):
            raise refusal(name, f"is {what}, not a sheet. {_SAVE_AS}")
    _check_text(name, content)
    return SheetFormat.CSV


def _ole(name: str, content: bytes) -> Exception:
    """Return the error for an OLE container: Office files from before 2007, and encrypted ones of today."""

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in content

    if holds("EncryptedPackage") or holds("EncryptionInfo"):
        return refusal(name, "is protected with a password. Remove the password and upload it again.")
    if holds("Workbook") or holds("Book"):
        return refusal(name, f"is a workbook in the old .xls format. {_SAVE_AS}")
    return refusal(name, f"is a document in an old Office format, not a sheet. {_SAVE_AS}")


def _check_text(name: str, content: bytes) -> None:
    """Refuse content that is not text, and text that is not a table."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode()
    head = content[:65536]
    if _every_other_is_nul(head):
        raise refusal(name, "is saved as UTF-16 (“Unicode text”). Save it as “CSV UTF-8” and upload that.")
    if b"\0" in content or len(head) - len(head.translate(None, _CONTROLS)) > max(len(head) / 100, _STRAY):
        raise refusal(name, f"is not text and not a workbook. {_SAVE_AS}")
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(text):
        lower = text.lower()
        if b"slack" in lower and b"sign" in lower:
            raise refusal(
                name,
                "arrived as Slack's sign-in page instead of the file. Upload it again; if that does not help, "
                "an operator has to give Linesman the scope files:read.",
            )
        raise refusal(name, f"is a web page, not a sheet. {_SAVE_AS}")
    if _XML.match(text):
        raise refusal(name, f"is an XML document, not a sheet. {_SAVE_AS}")
    if _JSON.match(text):
        raise refusal(name, f"is JSON, not a sheet. {_SAVE_AS}")


def _every_other_is_nul(head: bytes) -> bool:
    """Tell whether this looks like Western text in UTF-16 without a byte-order mark."""
    sample = head[:2000]
    if len(sample) < 8:
        return False
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    return max(even, odd) > len(sample) * 0.4 and min(even, odd) < len(sample) * 0.05

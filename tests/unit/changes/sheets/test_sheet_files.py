"""Files that are no sheets, and workbooks that are not safe: each is refused in its own words."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable

import pytest

from bot.changes.sheets import packages
from tests.unit.changes.sheets.conftest import Read

SAVE_AS = "Save the sheet as CSV or XLSX and upload that."
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
SWOLLEN = (
    "“moves.csv” unpacks to far more than a sheet of numbers needs. Copy the table into a new sheet and upload that."
)
DAMAGED = "“moves.csv” is damaged and cannot be opened. Open it in a spreadsheet, save it again and upload that."
TEXTS = (
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b"<si><t>number</t></si><si><t>+13035550100</t></si></sst>"
)
PASSWORD = "“moves.csv” is protected with a password. Remove the password and upload it again."
EMPTY = "“moves.csv” is empty. Save the sheet again and upload it."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", EMPTY, id="nothing"),
        pytest.param(b"\xef\xbb\xbf\r\n \r\n", EMPTY, id="only-blanks"),
        pytest.param(b"sep=;\n", EMPTY, id="only-the-delimiter-line"),
        pytest.param(
            b"number\n" + b"1" * (10 * 1024 * 1024),
            "“moves.csv” is 10.0 MB; a sheet may have at most 10 MB. Split it into several sheets.",
            id="too-large",
        ),
        pytest.param(OLE + "EncryptedPackage".encode("utf-16-le"), PASSWORD, id="password"),
        pytest.param(
            OLE + "Workbook".encode("utf-16-le"),
            f"“moves.csv” is a workbook in the old .xls format. {SAVE_AS}",
            id="xls",
        ),
        pytest.param(
            OLE + "WordDocument".encode("utf-16-le"),
            f"“moves.csv” is a document in an old Office format, not a sheet. {SAVE_AS}",
            id="doc",
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n123", f"“moves.csv” is a picture, not a sheet. {SAVE_AS}", id="png"),
        pytest.param(b"\xff\xd8\xff\xe0123", f"“moves.csv” is a picture, not a sheet. {SAVE_AS}", id="jpeg"),
        pytest.param(b"GIF89a123", f"“moves.csv” is a picture, not a sheet. {SAVE_AS}", id="gif"),
        pytest.param(b"RIFF1234WEBP", f"“moves.csv” is a picture, not a sheet. {SAVE_AS}", id="webp"),
        pytest.param(b"%PDF-1.7", f"“moves.csv” is a PDF document, not a sheet. {SAVE_AS}", id="pdf"),
        pytest.param(b"{\\rtf1 a", f"“moves.csv” is a text document, not a sheet. {SAVE_AS}", id="rtf"),
        pytest.param(b"\x1f\x8b\x08\x00", f"“moves.csv” is a compressed file, not a sheet. {SAVE_AS}", id="gzip"),
        pytest.param(
            b"<!DOCTYPE html><html><title>Sign in | Slack</title>",
            "“moves.csv” arrived as Slack's sign-in page instead of the file. Upload it again; if that does not "
            "help, an operator has to give Linesman the scope files:read.",
            id="slack-sign-in",
        ),
        pytest.param(b"\n <html><body>x", f"“moves.csv” is a web page, not a sheet. {SAVE_AS}", id="html"),
        pytest.param(
            b"<table><tr><td>number", f"“moves.csv” is a web page, not a sheet. {SAVE_AS}", id="html-called-xls"
        ),
        pytest.param(b"<?xml version='1.0'?><a/>", f"“moves.csv” is an XML document, not a sheet. {SAVE_AS}", id="xml"),
        pytest.param(b'{"ok": false}', f"“moves.csv” is JSON, not a sheet. {SAVE_AS}", id="json-object"),
        pytest.param(b'[{"number": 1}]', f"“moves.csv” is JSON, not a sheet. {SAVE_AS}", id="json-list"),
        pytest.param(
            "number\r\n+13035550100".encode("utf-16-be"),
            "“moves.csv” is saved as UTF-16 (“Unicode text”). Save it as “CSV UTF-8” and upload that.",
            id="utf-16-without-mark",
        ),
        pytest.param(b"\x00\x01\x02\x03abc", f"“moves.csv” is not text and not a workbook. {SAVE_AS}", id="binary"),
        pytest.param(
            b"\x7fELF\x02\x01\x01\x03", f"“moves.csv” is not text and not a workbook. {SAVE_AS}", id="program"
        ),
        pytest.param(
            b'number,tags\n+13035550100,a\n+13035550101,"b\n+13035550102,c\n',
            "“moves.csv” cannot be read after row 2: a quotation mark is missing or in the wrong "
            "place. Fix it and upload the sheet again.",
            id="open-quotation",
        ),
        pytest.param(
            b"number\n" + b"\n" * 1_048_576,
            "“moves.csv” has more than 1,048,576 rows, blank ones counted. Remove the blank rows.",
            id="endless-blank-rows",
        ),
        pytest.param(b"PK\x03\x04 but no archive", DAMAGED, id="no-archive"),
    ],
)
def test_what_is_no_sheet_is_refused(refused: Callable[..., str], content: bytes, sentence: str) -> None:
    """What the file is and what to do instead, in one or two sentences, under the field of the form."""
    assert refused(content) == sentence


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        pytest.param(
            {"a.csv": b"number"},
            "“moves.csv” is a ZIP file, not a workbook. Unpack it and upload the sheet that is in it.",
            id="zip",
        ),
        pytest.param(
            {"xl/workbook.bin": b""}, f"“moves.csv” is a workbook in the binary .xlsb format. {SAVE_AS}", id="xlsb"
        ),
        pytest.param({"word/document.xml": b""}, f"“moves.csv” is a Word document, not a sheet. {SAVE_AS}", id="docx"),
        pytest.param(
            {"ppt/presentation.xml": b""}, f"“moves.csv” is a presentation, not a sheet. {SAVE_AS}", id="pptx"
        ),
        pytest.param({"content.xml": b""}, f"“moves.csv” is an OpenDocument file. {SAVE_AS}", id="ods"),
        pytest.param(
            {"Index/Document.iwa": b""}, f"“moves.csv” is an Apple Numbers or Pages file. {SAVE_AS}", id="numbers"
        ),
        pytest.param({"[Content_Types].xml": b"<Types/>"}, DAMAGED, id="no-workbook-inside"),
        pytest.param({"[Content_Types].xml": b"not XML"}, DAMAGED, id="broken-xml"),
        pytest.param({"[Content_Types].xml": b"x", **{str(i): b"" for i in range(2000)}}, SWOLLEN, id="many-parts"),
        pytest.param({"[Content_Types].xml": b"x", "xl/a.xml": bytes(2**21)}, SWOLLEN, id="squeezed"),
    ],
)
def test_an_archive_that_is_no_workbook_is_refused(
    refused: Callable[..., str], packed: Callable[..., bytes], parts: dict[str, bytes], sentence: str
) -> None:
    """Its table of contents tells what it is before anything is unpacked."""
    assert refused(packed(parts)) == sentence


def test_an_encrypted_archive_is_refused(refused: Callable[..., str], packed: Callable[..., bytes]) -> None:
    """A ZIP file with a password cannot be opened without it."""
    content = bytearray(packed({"[Content_Types].xml": b"x"}))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1

    assert refused(bytes(content)) == PASSWORD


def test_a_workbook_is_bounded_as_a_whole(refused: Callable[..., str]) -> None:
    """Many parts that are each squeezed a little are too much together; nothing of it is unpacked to find out."""
    out = io.BytesIO()
    block = random.Random(1).randbytes(64 * 1024) + bytes(15 * 1024 * 1024)  # noqa: S311 - only has to be incompressible
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"x")
        for part in range(18):
            archive.writestr(f"xl/worksheets/sheet{part}.xml", block)

    assert refused(out.getvalue()) == SWOLLEN


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("xl/styles.xml", id="styles"),
        pytest.param("xl/workbook.xml", id="list-of-sheets"),
    ],
)
def test_a_part_that_is_read_whole_is_bounded(
    refused: Callable[..., str], book: Callable[..., bytes], packed: Callable[..., bytes], part: str
) -> None:
    """Millions of elements in a part that becomes a tree are refused after the first few."""
    noise = random.Random(2).randbytes(30_000).hex().encode()  # noqa: S311 - only has to be incompressible
    bomb = b"<a><!--" + noise + b"-->" + b"<b/>" * 4_100_000 + b"</a>"

    assert refused(packed({part: bomb}, book(["number"]))) == SWOLLEN


def test_a_row_that_never_ends_is_bounded(
    refused: Callable[..., str], book: Callable[..., bytes], packed: Callable[..., bytes]
) -> None:
    """A sheet is streamed row by row; a single row may not gather millions of cells."""
    noise = random.Random(3).randbytes(30_000).hex().encode()  # noqa: S311 - only has to be incompressible
    start = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
    row = start + b"<!--" + noise + b"-->" + b"<c/>" * 2_000_000 + b"</row></sheetData></worksheet>"

    assert refused(packed({"xl/worksheets/sheet1.xml": row}, book(["number"]))) == SWOLLEN


def test_wide_rows_are_bounded(
    refused: Callable[..., str], book: Callable[..., bytes], packed: Callable[..., bytes]
) -> None:
    """A few bytes that name the last column of many rows do not make millions of cells."""
    start = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    head = b'<row r="1"><c r="A1" t="inlineStr"><is><t>number</t></is></c></row>'
    rows = b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (r, r) for r in range(2, 1000))
    sheet = start + head + rows + b"</sheetData></worksheet>"

    assert refused(packed({"xl/worksheets/sheet1.xml": sheet}, book(["number"]))) == SWOLLEN


def test_entities_are_refused(read: Read, refused: Callable[..., str], shared: Callable[[bytes], bytes]) -> None:
    """XML that defines its own words, the billion laughs, is not expanded; the texts themselves are read."""
    bomb = b'<!DOCTYPE sst [<!ENTITY a "num"><!ENTITY b "&a;ber">]>'

    assert read(shared(TEXTS)).rows[0].identifier == "+13035550100"
    assert refused(shared(bomb + TEXTS.replace(b"number", b"&b;"))) == DAMAGED


def test_the_texts_of_a_workbook_are_bounded(
    refused: Callable[..., str], shared: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More texts than there may be are refused before they fill the memory, though no row uses them."""
    monkeypatch.setattr(packages, "_strings", lambda: packages.Meter(most_tags=400_000))  # a tenth: it is faster
    noise = random.Random(4).randbytes(60_000).hex().encode()  # noqa: S311 - only has to be incompressible
    many = b"<!--" + noise + b"-->" + b"<si><t/></si>" * 140_000

    assert refused(shared(TEXTS.replace(b"</sst>", many + b"</sst>"))) == SWOLLEN


def test_the_name_is_cut_and_cleaned(refused: Callable[..., str]) -> None:
    """A file's name is somebody's text: one line, forty characters."""
    assert refused(b"", name="a\n\x00b" + "c" * 100).startswith("“a b" + "c" * 36 + "…” is empty.")

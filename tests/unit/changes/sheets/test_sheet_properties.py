"""What holds for every sheet there could be."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape
from bot.changes.model.snapshots import Snapshot
from bot.changes.planning.builder import build
from bot.changes.planning.plan import same
from bot.changes.sheets import Sheet, export, marked, read_sheet
from bot.errors import InputError
from bot.providers.telnyx.kinds import kinds
from tests.unit.changes.formulas import formulas
from tests.unit.changes.sheets.conftest import is_id

#: Uploading numbers for deletion changes all of them, whatever the sheet says of their values.
KINDS = [kind for kind in kinds(secrets=True) if not kind.removes]
SETTINGS: Kind = KINDS[0]

HEADINGS = ["number", "id", "Tags", "HD voice", "Customer reference", "Connection", "Forward to", "CNAM listing"]
HEADINGS += ["CNAM listed name", "Errors", "outcome", ""]
PIECES = ["+13035550100", "13035550101", "(303) 555-0100", "1293384261075731499", "1.97056E+10", "hello", "on", "off"]
PIECES += [
    "(empty)",
    "'",
    "'=1",
    "=1+1",
    '="a"',
    "a, b",
    "b;a",
    "Denver (12)",
    "-1",
    "@x",
    "\t+1",
    "#N/A",
    "ü\nx",
    "\uff1d1",
    "1;=1+1",
    "a|=b",
    "- a\n- b",
    "'- a\n- b",
    "-a|b",
    '"-a"',
]
cell = st.one_of(
    st.just(""), st.sampled_from(PIECES), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
)
row = st.lists(cell, max_size=8)
headings = st.lists(st.sampled_from(HEADINGS), max_size=6, unique=True).map(lambda more: ["number", *more])
headings = headings.map(lambda names: list(dict.fromkeys(names)))


def read(content: bytes, kind: Kind = SETTINGS) -> Sheet | None:
    """Return the sheet, or None when the file is refused; anything else raised fails the test."""
    try:
        return read_sheet("x", content, kind, is_id=is_id)
    except InputError as error:
        refusal = error
    assert set(refusal.problems) == {"sheet"}
    assert refusal.problems["sheet"]
    return None


def written(rows: list[list[str]], delimiter: str = ",") -> bytes:
    """Return ``rows`` as CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


@cache
def workbook() -> bytes:
    """Return a small workbook with cells of every type."""
    book = Workbook()
    assert book.active is not None
    for line in (
        ["number", "tags"],
        ["+13035550100", "a"],
        [13035550101, True],
        [1.5, datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)],
        ["=1", 2],
    ):
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(lambda tail: b"number,tags\n" + tail)))
@example(b"PK\x03\x04")
@example(b"PK\x05\x06" + bytes(18))
@example(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
@example(b'number\n"')
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Never anything but a sheet or a sentence."""
    sheet = read(content)

    assert sheet is None or marked("x", content, sheet)


@pytest.mark.filterwarnings("default")  # openpyxl warns of some damage that it mends
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_broken_workbook_is_read_or_refused(data: st.DataObject) -> None:
    """Whatever is wrong inside the archive: bytes changed in any part, or in the archive itself."""
    whole = data.draw(st.booleans())
    with zipfile.ZipFile(io.BytesIO(workbook())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    victim = bytearray(workbook() if whole else parts[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(victim) - 1))
        end = min(len(victim), at + data.draw(st.integers(0, 30)))
        victim[at:end] = data.draw(st.binary(max_size=8))
    content = bytes(victim)
    if not whole:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for part, body in {**parts, name: content}.items():
                archive.writestr(part, body)
        content = out.getvalue()

    sheet = read(content)

    assert sheet is None or marked("x", content, sheet)


@given(headings, st.lists(row, max_size=8))
def test_nothing_is_invented(names: list[str], rows: list[list[str]]) -> None:
    """Every number and id that comes out has its digits in its own row; every row is accounted for."""
    sheet = read(written([names, *rows]))
    if sheet is None:
        return

    for found in sheet.rows:
        digits = re.sub(r"\D", "", "".join(rows[found.row - 2]))
        assert re.sub(r"\D", "", found.identifier).removeprefix("1") in digits
    filled = {at + 2 for at, cells in enumerate(rows) if any(c.strip() for c in cells)}
    mentioned = {found.row for found in sheet.rows} | {problem.row for problem in sheet.problems}
    assert mentioned <= filled
    assert len(mentioned) + sheet.repeats >= len(filled)
    assert [problem.row for problem in sheet.problems] == sorted(problem.row for problem in sheet.problems)


@given(headings, st.lists(row, max_size=8), st.sampled_from(",;\t|"))
@example(["number", "Tags"], [["+13035550100", "-"], ["+13035550101", "- -"], ["", "--"]], ",")
@example(["number", "Tags"], [["+13035550100", "- a\n- b"], ["+13035550101", "-a|b"], ["", '"-a"']], ",")
def test_a_marked_sheet_says_the_same(names: list[str], rows: list[list[str]], delimiter: str) -> None:
    """Handing a sheet back neither mends nor breaks anything in it, and puts nothing into it that computes."""
    content = written([names, *rows], delimiter)
    sheet = read(content)
    if sheet is None:
        return

    back = marked("x", content, sheet)
    again = read(back)

    assert again is not None
    assert (again.rows, again.repeats) == (sheet.rows, sheet.repeats)
    # A list that was not meant, guarded against formulas, is shown in the second refusal as it came back.
    assert [replace(p, text=p.text * (not p.foreign)) for p in again.problems] == [
        replace(p, text=p.text * (not p.foreign)) for p in sheet.problems
    ]
    assert formulas(back.decode("utf-8-sig")) == []


@given(headings, st.lists(row, max_size=6), st.randoms())
def test_the_order_of_columns_does_not_matter(names: list[str], rows: list[list[str]], chance: object) -> None:
    """The same columns in another order and case give the same rows and as many problems."""
    lines = [[*cells, *[""] * len(names)][: len(names)] for cells in rows]
    order = list(range(len(names)))
    chance.shuffle(order)  # type: ignore[attr-defined]  # hypothesis hands out random.Random
    turned = [[names[at].upper() for at in order], *([cells[at] for at in order] for cells in lines)]

    one, other = read(written([names, *lines])), read(written(turned))

    assert (one is None) == (other is None)
    if one and other:
        assert other.rows == one.rows
        assert len(other.problems) == len(one.problems)


def values_of(setting: Setting) -> st.SearchStrategy[object]:
    """Return values that a provider may report for ``setting``, sensible or not."""
    words = st.one_of(st.sampled_from(PIECES), st.text(st.characters(exclude_categories=[]), max_size=10))
    match setting.shape:
        case Shape.BOOL:
            return st.sampled_from([None, True, False])
        case Shape.TAGS:
            return st.one_of(st.none(), st.lists(words, max_size=3).map(tuple))
        case Shape.CHOICE:
            return st.sampled_from([None, "unheard-of", *(choice.value for choice in setting.choices)])
        case Shape.PHONE:
            return st.sampled_from([None, "", "+13035550199", "+442079460958", "sip:x"])
        case Shape.LOOKUP:
            return st.sampled_from([None, "", "1293384261075731499", "f5586561-8ff0-4291", "x y"])
        case _:
            return st.one_of(st.none(), words)


@st.composite
def snapshots(draw: st.DrawFn, kind: Kind) -> list[Snapshot]:
    """Return numbers of ``kind`` in any state."""
    return [
        Snapshot(
            id=str(10**15 + at),
            e164=f"+1303555{at:04}",
            values={s.name: draw(values_of(s)) for s in kind.settings if not s.secret and draw(st.booleans())},
        )
        for at in range(draw(st.integers(0, 4)))
    ]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), snapshots(kind))),
    st.text(st.characters(exclude_categories=[]), max_size=8),
)
def test_an_export_changes_nothing(case: tuple[Kind, list[Snapshot]], label: str) -> None:
    """Whatever state numbers are in: their sheet is clean, and every plan from it is without a difference."""
    kind, numbers = case
    labels = {s.name: {"1293384261075731499": label} for s in kind.settings}

    file = export(kind, numbers, labels)
    sheet = read(file, kind)

    assert formulas(file.decode("utf-8-sig")) == []
    assert sheet is not None
    assert sheet.problems == ()
    assert [found.identifier for found in sheet.rows] == [number.e164 for number in numbers]
    for found, number in zip(sheet.rows, numbers, strict=True):
        assert all(same(kind.setting(n), value, number.values.get(n)) for n, value in found.values.items())
        assert build(kind, found.values, [number]).unchanged == 1

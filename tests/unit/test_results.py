"""The results sheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice

import pytest
from openpyxl import load_workbook

from bot.changes.batches import Batch, Operation
from bot.changes.formula_guard import guard
from bot.changes.kinds import Kind
from bot.changes.lifecycle import BatchState, OperationState
from bot.changes.records import Summary
from bot.changes.results import ABSENT, COLUMNS, ResultsSheet
from bot.changes.tabular import Form
from bot.changes.values import MASK
from bot.changes.vault import Vault


def results_sheet(
    kind: Kind,
    operations: Iterable[Operation],
    batches: Mapping[int, Batch],
    summary: Summary | None,
    form: Form = Form.CSV,
) -> bytes:
    """Return the sheet, written in portions of seven rows."""
    sheet = ResultsSheet(kind, batches, summary, form)
    waiting = iter(operations)
    while portion := list(islice(waiting, 7)):
        sheet.add(portion)
    return sheet.content()


def rows(sheet: bytes) -> list[dict[str, str]]:
    """Return the sheet's rows by column."""
    assert sheet.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"))))


def operation(position: int, **more: object) -> Operation:
    """Return an operation."""
    fields: dict = {
        "change": 1,
        "position": position,
        "batch": None,
        "number_id": str(position),
        "e164": f"+1303555{position:04}",
        "before": {},
        "after": {},
        "state": OperationState.NOT_ATTEMPTED,
        "code": "",
        "reason": "",
        "pointer": "",
        "settled_at": None,
    }
    return Operation(**{**fields, **more})


def test_every_number_has_a_row(settings_kind: Kind) -> None:
    """Nothing is left out or cut, in the plan's order."""
    sheet = results_sheet(settings_kind, (operation(i) for i in range(3000)), {}, None)

    assert [row["number"] for row in rows(sheet)] == [f"+1303555{i:04}" for i in range(3000)]
    assert tuple(rows(sheet)[0]) == COLUMNS


def test_a_row_tells_the_whole_story(settings_kind: Kind) -> None:
    """Outcome, reason, before and after with human names, and when."""
    failed = operation(
        1,
        state=OperationState.FAILED,
        code="10015",
        reason="The field is invalid.",
        pointer="/connection_id",
        before={"connection_id": "1"},
        after={"connection_id": "2"},
        settled_at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    )
    summary = Summary(
        numbers=1,
        unchanged=0,
        batches=1,
        wanted={"connection_id": "2"},
        labels={"connection_id": {"1": "Old", "2": "New"}},
    )

    (row,) = rows(results_sheet(settings_kind, [failed], {}, summary))

    assert row == {
        "number": "+13035550001",
        "id": "1",
        "outcome": "failed",
        "reason_code": "10015",
        "reason": "The field is invalid.",
        "pointer": "/connection_id",
        "before": "connection_id: Old (1)",
        "after": "connection_id: New (2)",
        "found": "",
        "job": "",
        "sent_at": "",
        "settled_at": "2026-11-21T12:00:00+00:00",
        "read_back_at": "",
    }


FORWARDS_TO = "voice.call_forwarding.forwards_to"
FORWARDING = "voice.call_forwarding.forwarding_type"
SENT = Batch(
    id=1,
    change=1,
    position=1,
    state=BatchState.SETTLED,
    size=1,
    values={"connection_id": "2", FORWARDS_TO: "+17205550000", FORWARDING: "on-failure"},
    job="job-1",
    attempted_at=None,
    attempts=1,
    submitted_at=datetime(2026, 11, 21, 11, 59, tzinfo=UTC),
    settled_at=None,
    done_by=None,
    job_state="completed",
    polls=1,
    looks=0,
    absences=0,
)


def test_what_was_found_stands_beside_what_was_wanted(settings_kind: Kind) -> None:
    """Of what was to change all is told, of what was not to change only what did; and when each thing happened."""
    found = {"connection_id": "2", FORWARDS_TO: "", FORWARDING: "on-failure"}
    read = operation(
        1,
        batch=1,
        state=OperationState.DIFFERS,
        before={"connection_id": "1", FORWARDS_TO: "+17205550000", FORWARDING: "always"},
        after={"connection_id": "2", FORWARDING: "on-failure"},
        found=found,
        found_at=datetime(2026, 11, 21, 12, 1, tzinfo=UTC),
    )

    (row,) = rows(results_sheet(settings_kind, [read], {1: SENT}, None))

    assert row["outcome"] == "differs"
    assert row["found"] == (f"connection_id: 2 (name unknown); {FORWARDING}: On failure; {FORWARDS_TO}: (empty)")
    assert (row["job"], row["sent_at"]) == ("job-1", "2026-11-21T11:59:00+00:00")
    assert row["read_back_at"] == "2026-11-21T12:01:00+00:00"


def test_a_number_that_is_gone_is_told_as_gone(settings_kind: Kind) -> None:
    """A number that was looked for and not there is not the same as one that nobody looked for."""
    gone = operation(1, batch=1, state=OperationState.DIFFERS, found_at=datetime(2026, 11, 21, tzinfo=UTC))

    told = rows(results_sheet(settings_kind, [gone, operation(2)], {1: SENT}, None))

    assert [row["found"] for row in told] == [ABSENT, ""]


@pytest.mark.parametrize("reason", ["=1+1", "+1+1", "\tx", "a\x00b", "“ü”"])
def test_a_workbook_holds_the_same_as_texts(settings_kind: Kind, reason: str) -> None:
    """The XLSX has the CSV's rows, every cell typed and formatted as text: no formula, no lost ``+``."""
    operations = [operation(position, reason=reason, code="007") for position in range(20)]

    book = load_workbook(io.BytesIO(results_sheet(settings_kind, operations, {}, None, Form.XLSX)))

    (page,) = book.worksheets
    lines = [[cell.value or "" for cell in row] for row in page.iter_rows()]
    expected = rows(results_sheet(settings_kind, operations, {}, None))
    assert lines[0] == list(COLUMNS)
    assert lines[1:] == [[value.replace("\x00", "") for value in row.values()] for row in expected]
    assert {(cell.data_type, cell.number_format) for row in page.iter_rows() for cell in row if cell.value} == {
        ("s", "@")
    }
    assert lines[1][0] == "+13035550000"


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1", "@SUM(A1)", "\tx", "\rx", "\uff1d1"])
def test_a_formula_is_disarmed(settings_kind: Kind, cell: str) -> None:
    """A reason from the provider that starts like a formula gets an apostrophe in front."""
    assert guard(cell) == f"'{cell}"
    (row,) = rows(results_sheet(settings_kind, [operation(1, reason=cell)], {}, None))
    assert row["reason"].startswith("'")


def test_a_secret_is_masked(settings_kind: Kind, vault: Vault) -> None:
    """A PIN is in no sheet, neither before nor after."""
    old, new = vault.seal("0000-old"), vault.seal("4711-new")
    pin = operation(1, before={"external_pin": old}, after={"external_pin": new})

    sheet = results_sheet(settings_kind, [pin], {}, None).decode()

    assert MASK in sheet
    for text in ("0000-old", "4711-new", old.sealed, new.sealed):
        assert text not in sheet

"""The results sheet."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from bot.changes.kinds import Kind
from bot.changes.lifecycle import OperationState
from bot.changes.records import Operation, Summary
from bot.changes.results import COLUMNS, guard, results_sheet
from bot.changes.values import MASK
from bot.changes.vault import Vault


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
        "job": "",
        "settled_at": "2026-11-21T12:00:00+00:00",
    }


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

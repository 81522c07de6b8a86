"""What comes out of a change is itself a sheet: uploaded again it undoes the change, or asks for it once more."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import pytest
from openpyxl import load_workbook

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import carried_out

NUMBERS = [f"+1303555{index:04}" for index in range(4)]


@pytest.fixture
async def fleet(stage: Stage) -> Stage:
    """Set up four numbers that are unlike: with a tag, with another connection, with a reference like a formula."""
    offices = [stage.telnyx.add_connection(f"Fixtures; “{name}”") for name in ("=North", "South")]
    for index, number in enumerate(NUMBERS):
        stage.telnyx.add_number(
            number,
            tags=["b", "a", "+1"][: 1 + index % 3],
            connection_id=offices[index % 2].id,
            customer_reference=f"-{index}00;=x",
        )
    return stage


async def plan(stage: Stage, content: bytes, name: str, *, command: str = "update") -> str:
    """Upload a sheet and return the plan that it makes, as read."""
    await stage.open(command)
    await stage.ana.wait_for_view(lambda view: ("sheet:0", "sheet") in view.form.slots)
    await stage.ana.attach("sheet:0", (name, content))
    await stage.fill(None, None, "By hand")
    await stage.send()
    return stage.read(await stage.planned())


def has(stage: Stage) -> list[tuple[set[str], str | None, str | None]]:
    """Return what the carrier has."""
    return [
        (set(number.tags), number.connection_id, number.customer_reference)
        for number in map(stage.telnyx.number, NUMBERS)
    ]


async def workbook(stage: Stage, change: int) -> bytes:
    """Ask for the results as XLSX and return the file."""
    name = f"CHG-{change}-results.xlsx"
    await stage.command(f"status CHG-{change} xlsx")
    await stage.slack.wait_for(
        lambda: [file for file in stage.slack.files if file.name == name and file.channel], what="the workbook"
    )
    return next(file.content for file in stage.slack.files if file.name == name)


def columns_of(rows: Sequence[Mapping[str, str]], without: str) -> bytes:
    """Return ``rows`` as CSV without the columns that have ``without`` in their headings."""
    out = io.StringIO()
    kept = [column for column in rows[0] if without not in column]
    writer = csv.DictWriter(out, kept, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_sheet_of_results_undoes_its_change_by_hand(fleet: Stage, form: str) -> None:
    """Uploaded as it is, the plan restores what the numbers had before, and says that it does."""
    target = fleet.telnyx.add_connection("Denver PBX")
    before = has(fleet)
    change = await fleet.run(NUMBERS, {"tags": "moved", "connection_id": target.id, "customer_reference": "CHG 1"})
    assert has(fleet) == [({"moved"}, target.id, "CHG 1")] * 4
    content = fleet.file(change) if form == "csv" else await workbook(fleet, change)
    assert content is not None

    shown = await plan(fleet, content, f"results.{form}")

    assert "4 numbers: the sheet is one that Linesman made of a change" in shown
    assert "had before that change" in shown
    await carried_out(fleet)
    assert has(fleet) == before


async def test_a_row_of_a_number_that_was_not_changed_undoes_nothing(fleet: Stage) -> None:
    """What somebody else gave it meanwhile stays."""
    fleet.telnyx.fail(NUMBERS[1], times=1)
    change = await fleet.run(NUMBERS, {"customer_reference": "CHG 1"})
    fleet.telnyx.number(NUMBERS[1]).customer_reference = "by somebody else"
    content = fleet.file(change)
    assert content is not None

    await plan(fleet, content, "results.csv")
    await carried_out(fleet)

    assert [each[2] for each in has(fleet)] == ["-000;=x", "by somebody else", "-200;=x", "-300;=x"]


async def test_without_the_columns_of_before_it_asks_once_more(fleet: Stage) -> None:
    """Of the rest, what failed gets what it was to get; what has it is left alone."""
    fleet.telnyx.fail(NUMBERS[1], times=1)
    change = await fleet.run(NUMBERS, {"customer_reference": "CHG 1"})
    fleet.telnyx.number(NUMBERS[2]).customer_reference = "by somebody else"

    shown = await plan(fleet, columns_of(fleet.results(change), "(before)"), "results.csv")
    assert "were to get by that change" in shown
    await carried_out(fleet)

    assert [each[2] for each in has(fleet)] == ["CHG 1", "CHG 1", "by somebody else", "CHG 1"]


async def test_switching_emergency_service_on_is_undone_by_hand(stage: Stage) -> None:
    """What a kind always sends stands in every row, and what goes by itself in none."""
    stage.telnyx.add_numbers(2, start=NUMBERS[0])
    address = stage.telnyx.add_address("100 Main St")
    change = await stage.run(
        NUMBERS[:2], {"emergency_enabled": "true", "emergency_address_id": address.id}, command="emergency"
    )
    content = stage.file(change)
    assert content is not None

    await plan(stage, content, "results.csv", command="emergency")
    await carried_out(stage)

    assert [stage.telnyx.number(number).emergency_enabled for number in NUMBERS[:2]] == [False, False]


async def test_the_workbook_has_times_that_are_times(fleet: Stage) -> None:
    """A spreadsheet can sort and subtract them; they are in UTC and without fractions."""
    change = await fleet.run(NUMBERS, {"customer_reference": "CHG 1"})

    (page,) = load_workbook(io.BytesIO(await workbook(fleet, change))).worksheets

    head = [cell.value for cell in page[1]]
    for name in ("sent_at_utc", "ended_at_utc", "read_back_at_utc"):
        cells = [row[head.index(name)] for row in page.iter_rows(min_row=2)]
        assert all(cell.is_date and cell.value.microsecond == 0 for cell in cells)
        told = [row[name] for row in fleet.results(change)]
        assert [str(cell.value) for cell in cells] == told

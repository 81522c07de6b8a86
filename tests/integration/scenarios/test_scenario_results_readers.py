"""Results opened by programs that are not ours: pandas, and Calamine, which reads workbooks without openpyxl."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from tests.integration.scenarios.stage import Stage

NUMBERS = [f"+1303555{index:04}" for index in range(6)]
MOMENTS = ["sent_at_utc", "ended_at_utc", "read_back_at_utc"]


async def workbook(stage: Stage, change: int) -> bytes:
    """Ask for the results as XLSX and return the file."""
    name = f"CHG-{change}-results.xlsx"
    await stage.command(f"status CHG-{change} xlsx")
    await stage.slack.wait_for(
        lambda: [file for file in stage.slack.files if file.name == name and file.channel], what="the workbook"
    )
    return next(file.content for file in stage.slack.files if file.name == name)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_results_can_be_filtered_counted_and_timed(stage: Stage, form: str) -> None:
    """Every setting has columns of its own, ids have their names, and times are times, without anything being said."""
    offices = [stage.telnyx.add_connection(name) for name in ("North; =1", "South")]
    target = stage.telnyx.add_connection("Denver PBX")
    for index, number in enumerate(NUMBERS):
        given = target if index == 5 else offices[index % 2]
        stage.telnyx.add_number(number, connection_id=given.id, tags=["a", "b"])
    stage.telnyx.fail(NUMBERS[1], detail="=HYPERLINK(1)")
    change = await stage.run(NUMBERS, {"connection_id": target.id})
    content = stage.file(change) if form == "csv" else await workbook(stage, change)
    assert content is not None

    if form == "csv":
        table = pd.read_csv(io.BytesIO(content), dtype={"number": str, "id": str}, parse_dates=MOMENTS)
    else:
        table = pd.read_excel(io.BytesIO(content), engine="calamine", dtype={"number": str, "id": str})

    assert list(table["number"]) == NUMBERS
    assert list(table["id"]) == [stage.telnyx.number(number).id for number in NUMBERS]
    assert dict(table["outcome"].value_counts()) == {"verified": 4, "failed": 1, "unchanged": 1}
    done = table[table["outcome"] == "verified"]
    assert dict(done.groupby("Connection (before)").size()) == {
        f"North; '=1 ({offices[0].id})": 3,
        f"South ({offices[1].id})": 1,
    }
    assert set(done["Connection (after)"]) == set(done["Connection (found)"]) == {f"Denver PBX ({target.id})"}
    assert {str(table[name].dtype).split("[")[0] for name in MOMENTS} == {"datetime64"}
    assert (done["read_back_at_utc"] >= done["sent_at_utc"]).all()
    assert not table.map(lambda cell: isinstance(cell, str) and cell.startswith("=")).any().any()
